"""Refusals with one answer are written together, and leave the rows that they would leave one by one."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DataError, OperationalError, connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from notifications.delivery.attempt import Carrier, attempt_of
from notifications.delivery.record import RefusedAttempt, record_acceptances, record_refusals
from notifications.models import DeliveryAttempt, Message, ProviderEvent, Suppression, transitions
from notifications.providers.base.sending import Accepted, ProviderError
from notifications.rules.outcomes import BounceKind
from notifications.rules.retry import Decision, ErrorClass, GiveUp, Retry, TooLate, Uncertain
from notifications.rules.states import Event, Status
from tests.factories import MessageFactory

pytestmark = pytest.mark.django_db

CARRIER = Carrier(task_id="task-1", worker="test@here")
DECISIONS: dict[Event, list[Decision]] = {
    Event.RETRY: [Retry(300.0), Retry(0.0), Retry(7200.5)],
    Event.FAILED: [GiveUp("no"), GiveUp("all 3 attempts failed")],
    Event.EXPIRED: [TooLate(), TooLate()],
    Event.RESPONSE_LOST: [Uncertain(), Uncertain()],
}
MIXED = [decision for some in zip(*(some[:2] for some in DECISIONS.values()), strict=True) for decision in some]
# Different in each row, or when it was written.
OWN = {"id", "user_id", "to_address", "idempotency_key", "lease_token", "message_id", "recorded_at", "event_id"}


def refused(decisions, *, bounce=None):
    """Return the refusals of messages that are unlike each other."""
    refusals = []
    token, error = uuid4(), ProviderError(ErrorClass.PERMANENT, "code", "a reason", bounce=bounce)
    for place, decision in enumerate(decisions):
        message = MessageFactory(sending=True, handed_over=True, lease_token=token, attempts=place + 1)
        message.attempts_forgiven = place
        attempt = attempt_of(message, CARRIER, "scripted", error, 0.1)
        refusals.append(RefusedAttempt(attempt=attempt, decision=decision, relay_slack_s=10.0 * place))
    return refusals


def without_own(row):
    """Return the columns to compare; times as seconds from the creation, in steps of 100 s."""
    began = row.get("created_at")
    values = {name: value for name, value in row.items() if name not in OWN and name != "created_at"}
    return {
        name: round((value - began) / timedelta(seconds=100))
        if name.endswith(("_at", "_until", "_after")) and value
        else value
        for name, value in values.items()
        if began or not name.endswith("_at")
    }


def rows(refusals):
    found = []
    for message in (refusal.attempt.message for refusal in refusals):
        attempts = DeliveryAttempt.objects.filter(message=message).values()
        listed = Suppression.objects.filter(address=message.to_address.lower()).values("reason", "detail", "provider")
        found.append(
            (
                without_own(Message.objects.filter(id=message.id).values().get()),
                [*map(without_own, attempts)],
                [*listed],
            )
        )
    return found


@pytest.mark.parametrize("bounce", [None, BounceKind.HARD, BounceKind.SOFT])
@pytest.mark.parametrize("decisions", [*DECISIONS.values(), MIXED], ids=[*DECISIONS, "mixed"])
def test_together_and_one_by_one_leave_the_same_rows(decisions, bounce):
    together, single = refused(decisions, bounce=bounce), refused(decisions, bounce=bounce)
    record_refusals(together, bounce=bounce)
    events = ProviderEvent.objects.count()
    for refusal in single:
        record_refusals([refusal], bounce=bounce)
    assert rows(together) == rows(single)
    assert ProviderEvent.objects.count() == 2 * events
    assert events == (sum(isinstance(one, GiveUp | TooLate) for one in decisions) if bounce else 0)


@pytest.mark.parametrize("event", DECISIONS)
def test_statements_do_not_grow_with_the_messages(event):
    first, second = DECISIONS[event][:2]
    counts = []
    for decisions in ([first], [first, second] * 30):
        refusals = refused(decisions, bounce=BounceKind.HARD)
        with CaptureQueriesContext(connection) as statements:
            record_refusals(refusals, bounce=BounceKind.HARD)
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_listeners_are_called_once_per_event(monkeypatch, django_capture_on_commit_callbacks):
    received = []
    monkeypatch.setattr(transitions, "LISTENERS", [received.append])
    with django_capture_on_commit_callbacks(execute=True):
        record_refusals(refused(MIXED))
    assert {one.event: len(one.messages) for one in received} == dict.fromkeys(DECISIONS, 2)
    assert len(received) == len(DECISIONS)


def test_message_of_another_claim_keeps_its_status():
    refusals = refused([GiveUp("no")] * 3, bounce=BounceKind.HARD)
    lost = refusals[1].attempt.message
    other = uuid4()
    Message.objects.filter(id=lost.id).update(lease_token=other)
    record_refusals(refusals, bounce=BounceKind.HARD)
    statuses = [Message.objects.get(id=one.attempt.message_id).status for one in refusals]
    assert statuses == [Status.DEAD, Status.SENDING, Status.DEAD]
    assert Message.objects.get(id=lost.id).lease_token == other
    assert DeliveryAttempt.objects.filter(result="permanent").count() == 3
    assert not Suppression.objects.filter(address=lost.to_address).exists()
    assert ProviderEvent.objects.count() == 2


def test_no_refusal_overwrites_an_acceptance():
    refusals = refused([Retry(5.0)] * 3)
    accepted = refusals[2].attempt.message
    record_acceptances([attempt_of(accepted, CARRIER, "scripted", Accepted("p-1"), 0.1)])
    record_refusals(refusals)
    assert [attempt["result"] for _, (attempt,), _ in rows(refusals)] == ["permanent", "permanent", "accepted"]
    assert Message.objects.get(id=accepted.id).status == Status.SENT


def failing(error, *, times):
    """Let the next attempts of refusals fail."""
    left = [error] * times

    def execute(execute, sql, params, many, context):
        if "INSERT INTO notifications_deliveryattempt" in sql and left:
            raise left.pop()
        return execute(sql, params, many, context)

    return connection.execute_wrapper(execute)


@pytest.mark.parametrize("error", [OperationalError("down"), DataError("odd")])
def test_refusals_are_written_again_after_an_error(monkeypatch, error):
    monkeypatch.setattr("notifications.delivery.record.PAUSE_S", 0.0)
    monkeypatch.setattr("notifications.delivery.record.drop_connection", lambda: None)
    refusals = refused([Retry(5.0)] * 3)
    with failing(error, times=1):
        record_refusals(refusals)
    assert {row["status"] for row, _, _ in rows(refusals)} == {Status.QUEUED}
    assert DeliveryAttempt.objects.count() == 3


def test_refusal_that_cannot_be_written_costs_the_others_nothing():
    refusals = refused([Retry(5.0)] * 3)
    refusals[1] = replace(refusals[1], attempt=refusals[1].attempt._replace(number=2**40))
    with pytest.raises(DataError):
        record_refusals(refusals)
    assert [row["status"] for row, _, _ in rows(refusals)] == [Status.QUEUED, Status.SENDING, Status.QUEUED]
    assert Message.objects.filter(status=Status.QUEUED, due_at__gt=Now()).count() == 2
