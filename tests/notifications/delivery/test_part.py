"""Messages that are handed over together: each gets at most one call, and no call makes another fail."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from django.db import DataError, OperationalError, connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from accounts import emails
from notifications import kinds
from notifications.budget import grants
from notifications.budget.grants import Grant
from notifications.delivery import deliver as delivering
from notifications.delivery import hand_over, part, speed
from notifications.delivery.answers import Answers
from notifications.delivery.run import REQUEUED
from notifications.kinds import DeliveryGuarantee
from notifications.models import DeliveryAttempt, Message
from notifications.providers import registry
from notifications.providers.base.sending import Accepted, ProviderError
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Status, Stream
from tests.factories import MessageFactory
from tests.notifications.delivery.delivering import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey", "reporting")]


@pytest.fixture(autouse=True)
def _fast(valkey):
    speed.recent["scripted"] = (0.001,)


@pytest.fixture
def slow(provider, monkeypatch):
    """A provider that takes 0.12 s for each call, and was called before."""
    run(MessageFactory())
    provider.taken.clear()
    speed.recent["scripted"] = (0.12,)
    monkeypatch.setattr(part, "note_call", lambda *args, **more: None)
    return provider


def handed_over():
    return Message.objects.filter(handed_over_at__isnull=False).count()


def counted_in_call(provider):
    """Return how many messages are handed over during the first call."""
    counts = []
    provider.script.append(lambda email: counts.append(handed_over()))
    return counts


def states(messages):
    rows = Message.objects.in_bulk([message.id for message in messages])
    return [(rows[message.id].status, rows[message.id].attempts) for message in messages]


def test_part_is_handed_over_together_and_recorded_together(provider):
    counts = counted_in_call(provider)
    messages = MessageFactory.create_batch(12)
    assert run(*messages).counts == {"sent": 12}
    assert counts == [10]
    assert states(messages) == [(Status.SENT, 1)] * 12
    attempts = DeliveryAttempt.objects.values_list("number", "result", "task_id", "worker")
    assert set(attempts) == {(1, "accepted", "task-1", "test@here")}
    assert {email.message_id: f"scripted-{place}" for place, email in enumerate(provider.taken, start=1)} == dict(
        DeliveryAttempt.objects.values_list("message_id", "provider_message_id")
    )


def test_id_that_a_task_names_twice_is_sent_once(provider):
    first, second = MessageFactory.create_batch(2)
    assert run(first, second, first, second).counts == {"sent": 2}
    assert len(provider.taken) == 2


def test_slow_provider_gets_small_parts(slow):
    counts = counted_in_call(slow)
    run(*MessageFactory.create_batch(5))
    assert counts == [4]


def test_group_of_a_slow_provider_is_claimed_together(slow):
    messages = MessageFactory.create_batch(9)
    with CaptureQueriesContext(connection) as statements:
        assert run(*messages).counts == {"sent": 9}
    # A claim and the facts, then a hand-over and a record for parts of 4, 4 and 1.
    assert len(statements) == 2 + 2 * 3


def test_grants_are_taken_shortly_before_their_calls(slow, monkeypatch):
    asked, reserve = [], grants.reserve

    def noted(name, stream, wanted):
        asked.append((wanted, len(slow.taken)))
        return reserve(name, stream, wanted)

    monkeypatch.setattr(grants, "reserve", noted)
    run(*MessageFactory.create_batch(5))
    assert asked == [(2, 0), (2, 2), (1, 4)]


def test_messages_without_a_grant_in_mid_part_wait_for_the_budget(slow, monkeypatch):
    given = iter([Grant(2), Grant(0, (3.0, 4.0))])
    monkeypatch.setattr(grants, "reserve", lambda name, stream, wanted: next(given, Grant(0, (5.0,) * wanted)))
    messages = MessageFactory.create_batch(5)
    with CaptureQueriesContext(connection) as statements:
        assert run(*messages).counts == {"sent": 2, "deferred": 3}
    # The last message is not handed over, only to be taken back.
    assert sum("SET handed_over_at" in statement["sql"] for statement in statements) == 1
    assert states(messages) == [(Status.SENT, 1)] * 2 + [(Status.QUEUED, 0)] * 3
    assert handed_over() == 0
    assert Message.objects.filter(status=Status.QUEUED, due_at__gt=Now()).count() == 3
    assert len(slow.taken) == 2


def test_grants_are_given_back_if_the_claim_fails(provider, monkeypatch):
    given_back = []
    monkeypatch.setattr(grants, "release", lambda name, stream, grant, unused: given_back.append(unused))
    monkeypatch.setattr(delivering, "claim", lambda ids: (_ for _ in ()).throw(OperationalError()))
    with pytest.raises(OperationalError):
        run(*MessageFactory.create_batch(3))
    assert sum(given_back) == 3


@pytest.mark.parametrize("first", ["critical", "at most once", "lost claims", "resent after a lost answer"])
def test_some_messages_are_handed_over_alone(provider, monkeypatch, first):
    if first == "at most once":
        once = replace(emails.WELCOME, guarantee=DeliveryGuarantee.AT_MOST_ONCE)
        monkeypatch.setitem(kinds.KINDS, "welcome", once)
    fields = {
        "critical": {"stream": Stream.CRITICAL},
        "at most once": {},
        "lost claims": {"claims_lost": 1},
        "resent after a lost answer": {"uncertain_resends": 1, "attempts": 1},
    }[first]
    counts = counted_in_call(provider)
    messages = [MessageFactory(**fields), *MessageFactory.create_batch(2)]
    assert run(*messages).counts == {"sent": 3}
    assert counts == [1]


def test_provider_without_reports_gets_one_message_at_a_time(provider, registered):
    registered("scripted", webhook=None)
    assert not registry.reports("scripted")
    counts = counted_in_call(provider)
    run(*MessageFactory.create_batch(3))
    assert counts == [1]


def test_error_in_mid_part_leaves_only_its_own_message_in_doubt(provider):
    messages = MessageFactory.create_batch(5)
    provider.script.extend([None, None, lambda email: 1 / 0])
    with pytest.raises(ZeroDivisionError):
        run(*messages)
    assert states(messages) == [(Status.SENT, 1)] * 2 + [(Status.SENDING, 1)] + [(Status.QUEUED, 0)] * 2
    assert handed_over() == 1


def test_stop_in_mid_part_reverts_what_was_not_called(provider):
    messages = MessageFactory.create_batch(5, relayed=4)
    assert run(*messages, stopping=lambda: len(provider.taken) >= 2).counts == {"sent": 2, REQUEUED: 3}
    assert states(messages) == [(Status.SENT, 1)] * 2 + [(Status.QUEUED, 0)] * 3
    assert Message.objects.filter(status=Status.QUEUED, relay_after__lte=Now(), relayed=0).count() == 3


def test_slow_call_leaves_no_time_for_the_rest_of_its_part(provider, monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(hand_over, "time", SimpleNamespace(monotonic=lambda: clock.now))
    messages = MessageFactory.create_batch(3)
    provider.script.append(lambda email: setattr(clock, "now", hand_over.CALL_MARGIN_S + 0.1))
    assert run(*messages).counts == {"sent": 1, REQUEUED: 2}
    assert states(messages) == [(Status.SENT, 1)] + [(Status.QUEUED, 0)] * 2


def test_provider_that_refuses_us_gets_nothing_more_of_the_part(provider):
    messages = MessageFactory.create_batch(4)
    provider.script.extend([None, ErrorClass.MISCONFIGURED])
    run(*messages)
    assert states(messages) == [(Status.SENT, 1), (Status.QUEUED, 1), (Status.QUEUED, 0), (Status.QUEUED, 0)]
    assert len(provider.taken) == 1


def test_refusal_is_judged_with_the_acceptances_before_it(provider, monkeypatch):
    seen = []
    known = Answers.refuse

    def spy(*args, **more):
        known(*args, **more)
        seen.append(DeliveryAttempt.objects.filter(result="accepted").count())

    monkeypatch.setattr(Answers, "refuse", spy)
    provider.script.extend([None, None, ProviderError(ErrorClass.PERMANENT, "no"), None])
    messages = MessageFactory.create_batch(4)
    assert run(*messages).counts == {"sent": 3, "permanent": 1}
    assert seen == [2]


@pytest.mark.django_db(transaction=True)
def test_acceptance_that_cannot_be_recorded_costs_the_others_nothing(provider, monkeypatch):
    receipts = iter(["a", "a\0b", "c"])
    monkeypatch.setattr(provider, "send", lambda email: Accepted(next(receipts)))
    messages = MessageFactory.create_batch(3)
    with pytest.raises(DataError):
        run(*messages)
    assert states(messages) == [(Status.SENT, 1), (Status.SENDING, 1), (Status.SENT, 1)]
