"""Which recipients of a refused batch get another call, and when the search ends."""

import pytest

from notifications.delivery import batch
from notifications.delivery.batch import UNDECIDED, bisect
from notifications.providers.base.sending import About, Accepted, ProviderError
from notifications.rules.retry import ErrorClass

OF_ONE = ProviderError(ErrorClass.PERMANENT, "bad-recipient", about=About.RECIPIENT)
OF_ALL = [
    ProviderError(ErrorClass.MISCONFIGURED, "key", about=About.US),
    ProviderError(ErrorClass.TRANSIENT, "503", about=About.MOMENT),
    ProviderError(ErrorClass.RATE_LIMITED, "429", about=About.MOMENT),
    ProviderError(ErrorClass.AMBIGUOUS, "lost", about=About.UNKNOWN),
    ProviderError(ErrorClass.AMBIGUOUS, "lost", about=About.MESSAGE),
]


def refusing(*bad, largest=1000):
    """Return a provider that refuses every call with a bad recipient or too many, and its calls."""
    calls = []

    def send(some):
        calls.append(list(some))
        if len(some) > largest or set(some) & set(bad):
            return OF_ONE
        return [Accepted(str(each)) for each in some]

    return send, calls


def found(recipients, send, *, may_send=lambda: True):
    """Return the code of each recipient's answer; "" for an acceptance."""
    codes = {}
    for some, answer in bisect(recipients, send, may_send=may_send):
        each = [answer] * len(some) if isinstance(answer, ProviderError) else answer
        for recipient, one in zip(some, each, strict=True):
            assert recipient not in codes, "two answers"
            codes[recipient] = one.code if isinstance(one, ProviderError) else ""
    return codes


@pytest.mark.parametrize(
    ("count", "bad", "most_calls"),
    [
        (1, [], 1),
        (1, [0], 1),
        (500, [], 1),
        (2, [1], 3),
        (8, [5], 7),
        (500, [0], 19),
        (500, [499], 19),
        (500, [17, 333], 37),
        (4, [0, 1, 2, 3], 7),
    ],
)
def test_only_bad_recipients_are_refused(count, bad, most_calls):
    send, calls = refusing(*bad)
    codes = found(range(count), send)
    assert list(codes) == list(range(count))
    assert [recipient for recipient, code in codes.items() if code] == bad
    assert len(calls) <= most_calls


def test_batch_that_is_too_large_is_sent_in_smaller_ones():
    send, calls = refusing(largest=200)
    assert not any(found(range(500), send).values())
    assert [len(call) for call in calls] == [500, 250, 125, 125, 250, 125, 125]


@pytest.mark.parametrize("error", OF_ALL, ids=lambda error: f"{error.error_class} {error.about}")
def test_answer_to_all_ends_the_search(error):
    calls = []
    assert set(found(range(8), lambda some: calls.append(some) or error).values()) == {error.code}
    assert len(calls) == 1


def test_search_ends_when_no_call_may_follow():
    send, calls = refusing(5)
    codes = found(range(8), send, may_send=lambda: len(calls) < 2)
    assert codes == dict.fromkeys(range(4), "") | dict.fromkeys(range(4, 8), UNDECIDED)


def test_first_call_is_always_made():
    send, _ = refusing()
    assert found(range(3), send, may_send=lambda: False) == dict.fromkeys(range(3), "")


def test_calls_are_limited(monkeypatch):
    monkeypatch.setattr(batch, "MOST_CALLS", 6)
    send, calls = refusing(*range(64))
    codes = found(range(64), send)
    assert len(calls) == 6
    assert set(codes.values()) == {OF_ONE.code, UNDECIDED} or set(codes.values()) == {UNDECIDED}
