"""The effects of events on messages. They are stored as by a webhook, and read as by the relay."""

from datetime import timedelta
from itertools import permutations
from uuid import uuid4

import psycopg
import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from notifications.events import ingest
from notifications.events.apply import BATCH, PARK_FOR_S, read_due
from notifications.models import DeliveryAttempt, Message, ProviderEvent, Suppression
from notifications.outbox import relay
from notifications.providers.base.webhook import RawEvent
from notifications.rules.outcomes import Outcome
from notifications.rules.states import Status
from tests.factories import MessageFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def reported(message=None, kind="delivered", **more):
    """Store one event and read it; return the message afterwards."""
    store(message, kind, **more)
    read_due()
    return message and Message.objects.get(id=message.id)


def store(message=None, kind="delivered", **more):
    payload = {"id": str(uuid4()), "kind": kind, **({"message": str(message.id)} if message else {}), **more}
    ingest.store("scripted", [RawEvent(payload["id"], payload)])
    return payload["id"]


@pytest.mark.parametrize("kind", ["accepted", "deferred", "delivered", "bounced", "complained", "rejected"])
def test_any_report_settles_an_uncertain_message(kind):
    after = reported(MessageFactory(uncertain=True), kind)
    assert (after.status, after.settle_at, after.provider) == (Status.SENT, None, "scripted")
    assert after.sent_at is not None


def test_report_before_the_workers_record_settles_too():
    after = reported(MessageFactory(sending=True, handed_over=True), "accepted")
    assert (after.status, after.lease_token, after.handed_over_at) == (Status.SENT, None, None)


def test_acceptance_of_an_older_attempt_stops_the_next_one():
    after = reported(MessageFactory(attempts=2), "accepted", attempt=1)
    assert after.status == Status.SENT


def test_event_row_gets_the_interpreted_values():
    message = MessageFactory(status=Status.SENT, sent_at=Now())
    reported(
        message,
        "bounced",
        bounce="soft",
        recipient="a@example.com",
        attempt=3,
        detail="full",
        at="2026-01-02T03:04:05Z",
    )
    event = ProviderEvent.objects.get()
    assert (event.state, event.message, event.attempt, event.kind, event.bounce) == (
        "applied",
        message,
        3,
        "bounced",
        "soft",
    )
    # Our spelling of the address.
    assert (event.recipient, event.detail, str(event.occurred_at)) == (
        message.to_address,
        "full",
        "2026-01-02 03:04:05+00:00",
    )


@pytest.mark.parametrize("kinds", list(permutations(["delivered", "deferred", "bounced", "accepted"])))
def test_outcome_changes_by_rank_and_not_by_arrival(kinds):
    message = MessageFactory(status=Status.SENT, sent_at=Now())
    for kind in kinds:
        after = reported(message, kind)
    assert after.outcome == Outcome.BOUNCED
    assert after.outcome_at is not None


def test_outcome_changes_by_rank_within_one_batch():
    message = MessageFactory(status=Status.SENT, sent_at=Now())
    for kind in ("bounced", "delivered", "complained", "deferred"):
        store(message, kind)
    assert read_due() == {"applied": 4}
    assert Message.objects.get(id=message.id).outcome == Outcome.COMPLAINED


def test_older_report_does_not_change_the_time_of_the_outcome():
    message = MessageFactory(status=Status.SENT, sent_at=Now())
    first = reported(message, "delivered").outcome_at
    assert reported(message, "deferred").outcome_at == first


def test_out_of_office_answer_means_that_it_arrived():
    after = reported(MessageFactory(status=Status.SENT, sent_at=Now()), "bounced", bounce="auto-reply")
    assert after.outcome == Outcome.DELIVERED


def test_event_without_our_id_is_matched_by_the_providers_id():
    message = MessageFactory(status=Status.SENT, sent_at=Now())
    DeliveryAttempt.objects.create(message=message, number=1, result="accepted", provider_message_id="p-1")
    reported(None, "delivered", provider_message_id="p-1")
    assert Message.objects.get(id=message.id).outcome == Outcome.DELIVERED


def test_event_that_comes_before_our_commit_is_parked_and_matched_later():
    message = MessageFactory(uncertain=True)
    reported(None, "accepted", provider_message_id="p-1")
    event = ProviderEvent.objects.get()
    assert event.state == "parked"
    assert timedelta(seconds=1) < event.read_after - event.received_at < timedelta(seconds=5)
    DeliveryAttempt.objects.create(message=message, number=1, result="ambiguous", provider_message_id="p-1")
    assert read_due() == {}
    ProviderEvent.objects.update(read_after=Now())
    assert read_due() == {"applied": 1}
    assert Message.objects.get(id=message.id).status == Status.SENT


def test_parked_event_is_given_up_after_an_hour():
    store(None, "accepted", provider_message_id="p-1")
    ProviderEvent.objects.update(received_at=F("received_at") - timedelta(seconds=PARK_FOR_S + 1))
    read_due()
    assert ProviderEvent.objects.get().state == "foreign"
    assert read_due() == {}


@pytest.mark.parametrize("more", [{"message": str(uuid4())}, {}])
def test_event_of_another_applications_email_is_foreign(more):
    payload = {"kind": "bounced", "bounce": "hard", "recipient": "a@example.com", **more}
    ingest.store("scripted", [RawEvent("1", payload)])
    read_due()
    assert not Suppression.objects.exists()
    assert ProviderEvent.objects.get().state == "foreign"


def test_unreadable_event_does_not_block_the_others():
    message = MessageFactory(uncertain=True)
    store(message, "delivered", unreadable=True)
    store(message, "delivered")
    ingest.store("gone", [RawEvent("1", {})])
    assert read_due() == {"unreadable": 2, "applied": 1}
    assert Message.objects.get(id=message.id).status == Status.SENT
    assert read_due() == {}


def test_dead_message_that_the_provider_accepted_is_sent():
    assert reported(MessageFactory(status=Status.DEAD), "delivered").status == Status.SENT


def test_batch_costs_the_same_statements_whatever_its_size(django_assert_max_num_queries):
    for _ in range(30):
        store(MessageFactory(uncertain=True), "delivered")
    # The first one looks whether an event is due.
    with django_assert_max_num_queries(10):
        assert read_due() == {"applied": 30}


def test_locked_row_waits_without_stopping_the_others(transactional_db):
    held, free = MessageFactory(uncertain=True), MessageFactory(uncertain=True)
    store(held), store(free)
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None, "context": None}) as other:
        other.execute("SELECT 1 FROM notifications_message WHERE id = %s FOR UPDATE", [held.id])
        assert read_due() == {"applied": 1}
        assert Message.objects.get(id=free.id).status == Status.SENT
    assert read_due() == {"applied": 1}
    assert Message.objects.get(id=held.id).status == Status.SENT


def test_no_event_is_read_while_all_rows_are_locked(transactional_db):
    held = MessageFactory(uncertain=True)
    store(held)
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None, "context": None}) as other:
        other.execute("SELECT 1 FROM notifications_message WHERE id = %s FOR UPDATE", [held.id])
        assert read_due() == {}
    assert read_due() == {"applied": 1}


def test_mapping_that_fails_on_one_event_does_not_stop_the_others():
    message = MessageFactory(uncertain=True)
    store(message, "delivered", at=7)
    store(message, "delivered")
    assert read_due() == {"unreadable": 1, "applied": 1}
    assert ProviderEvent.objects.get(state="unreadable").detail == "TypeError"


def test_backlog_of_events_is_read_before_a_policy_settles():
    message = MessageFactory(uncertain=True)
    ingest.store("scripted", [RawEvent(f"f{number}", {"id": f"f{number}"}) for number in range(BATCH)])
    store(message, "accepted")
    ProviderEvent.objects.update(received_at=Now() - timedelta(minutes=20))
    while_unread = []
    while ProviderEvent.objects.filter(state="stored").exists():
        relay.run_once()
        while_unread.append(Message.objects.get(id=message.id).status)
        read_due()
    assert set(while_unread) == {Status.UNCERTAIN}
    assert Message.objects.get(id=message.id).status == Status.SENT


def test_message_settled_during_a_hand_over_gets_an_attempt():
    message = MessageFactory(sending=True, handed_over=True)
    reported(message, "accepted", provider_message_id="p-1")
    attempt = message.delivery_attempts.get()
    assert (attempt.number, attempt.result, attempt.provider_message_id) == (1, "accepted", "p-1")
