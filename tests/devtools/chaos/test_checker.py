"""A run must not pass with a lost email, or with a copy that nothing explains."""

import pytest
import requests

from devtools.chaos.checker import judge, promised, why_lost
from devtools.chaos.workload import Result
from devtools.stack.simulated import Simulated
from tests.devtools.chaos.examples import RESET, WELCOME, entry, operation
from tests.simulated import simulator

ADA, BOB = ("welcome", "ada@x.example"), ("welcome", "bob@x.example")


def why(attempt, answered, **changes):
    return why_lost(entry("ada@x.example", "m1", attempt, answered=answered, **changes), {})


FROZEN = {("m1", "1"): "worker-main was frozen while it was in flight"}


@pytest.mark.parametrize(
    ("case", "journal", "lost_answers", "whys"),
    [
        ("no copies", [entry("ada@x.example", "m1")], {}, []),
        ("no explanation", [entry("ada@x.example", "m1"), entry("ada@x.example", "m1", 2)], {}, [""]),
        (
            "the journal explains it",
            [entry("ada@x.example", "m1", answered="cut"), entry("ada@x.example", "m1", 2)],
            {},
            [why(1, "cut")],
        ),
        (
            "the killer's log explains it",
            [entry("ada@x.example", "m1"), entry("ada@x.example", "m1", 2)],
            FROZEN,
            list(FROZEN.values()),
        ),
        (
            "the lost answer to the copy itself",
            [entry("ada@x.example", "m1"), entry("ada@x.example", "m1", 2, answered="cut")],
            {},
            [""],
        ),
        (
            "one lost answer, one copy",
            [entry("ada@x.example", "m1", 1, answered="hung"), *(entry("ada@x.example", "m1", n) for n in (2, 3))],
            {},
            [why(1, "hung"), ""],
        ),
        (
            "two lost answers, two copies",
            [entry("ada@x.example", "m1", n, answered="cut") for n in (1, 2)] + [entry("ada@x.example", "m1", 3)],
            {},
            [why(n, "cut") for n in (1, 2)],
        ),
        (
            "a lost answer to another message",
            [entry("ada@x.example", "m1", answered="cut"), entry("ada@x.example", "m2")],
            {},
            [""],
        ),
        (
            "a lost answer to another attempt",
            [entry("ada@x.example", "m1"), entry("ada@x.example", "m1", 2)],
            {("m1", "2"): "x", ("m2", "1"): "y"},
            [""],
        ),
    ],
)
def test_copy_is_explained_only_by_a_lost_answer_to_the_same_message(case, journal, lost_answers, whys):
    verdict = judge({ADA}, journal, lost_answers)
    assert [duplicate.why for duplicate in verdict.duplicates] == whys, case
    assert len(verdict.unexplained) == whys.count("")
    assert (verdict.accepted, verdict.sent, verdict.lost) == (1, len(journal), [])


def test_fact_without_an_accepted_email_is_lost():
    verdict = judge({ADA, BOB, ("password-reset", "bob@x.example")}, [entry("bob@x.example", "m1")], {})
    assert verdict.lost == [("password-reset", "bob@x.example"), ADA]
    assert (verdict.accepted, verdict.sent) == (3, 1)


def test_welcome_and_reset_to_one_address_are_two_facts():
    journal = [entry("ada@x.example", "m1"), entry("ada@x.example", "m2", subject=RESET)]
    verdict = judge({ADA, ("password-reset", "ada@x.example")}, journal, {})
    assert (verdict.sent, verdict.duplicates, verdict.lost) == (2, [], [])


def test_email_without_an_acknowledged_request_is_a_stray_and_its_copy_counts():
    verdict = judge({ADA}, [entry("ada@x.example", "m1"), *(entry("bob@x.example", "m2", n) for n in (1, 2))], {})
    assert (verdict.strays, verdict.sent) == ([BOB], 1)
    assert [duplicate.fact for duplicate in verdict.unexplained] == [BOB]


def send(server: Simulated, to: str, message_id: str, attempt: int) -> None:
    body = {
        "from": {"email": "shop@example.com"},
        "subject": WELCOME,
        "personalizations": [{"to": [{"email": to}]}],
        "content": [{"type": "text/plain", "value": "Hi"}],
        "custom_args": {"mailroom_message_id": message_id, "mailroom_attempt": str(attempt)},
    }
    try:
        requests.post(f"{server.url}/v3/mail/send", json=body, headers={"Authorization": "Bearer x"}, timeout=5)
    except requests.ConnectionError:
        return


def test_planted_loss_and_planted_copies_are_found_in_a_real_journal(tmp_path):
    acknowledged = {("welcome", f"{name}@x.example") for name in ("well", "lost", "cut", "twice")}
    with simulator(tmp_path) as server:
        send(server, "well@x.example", "m1", 1)
        send(server, "twice@x.example", "m2", 1)
        send(server, "twice@x.example", "m2", 2)
        server.set_controls(fault="cut_before", fault_next=1)
        send(server, "lost@x.example", "m3", 1)
        server.set_controls(fault="cut_after", fault_next=1)
        send(server, "cut@x.example", "m4", 1)
        send(server, "cut@x.example", "m4", 2)
        verdict = judge(acknowledged, server.messages()[::-1], {})
    assert verdict.lost == [("welcome", "lost@x.example")]
    found = {duplicate.fact[1]: duplicate.why for duplicate in verdict.duplicates}
    assert found == {
        "twice@x.example": "",
        "cut@x.example": why(1, "cut", provider="sendgrid"),
    }


@pytest.mark.parametrize(
    ("changed", "kept"),
    [
        ([], ["welcome", "password-reset"]),
        ([operation("ada@x.example", "password-changed")], ["password-reset", "password-changed"]),
        ([operation("ada@x.example", "password-changed", result=Result.UNKNOWN)], ["welcome", "password-reset"]),
        ([operation("eve@x.example", "password-changed")], ["welcome", "password-reset", "password-changed"]),
    ],
)
def test_welcome_is_not_promised_after_a_used_reset_link(changed, kept):
    operations = [operation("ada@x.example"), operation("ada@x.example", "password-reset"), *changed]
    assert [one.kind for one in promised(operations)] == kept
