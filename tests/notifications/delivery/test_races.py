"""Concurrent transactions: provider events, workers' reports and suppressions."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest
from django.db import connection

from notifications.delivery.attempt import Carrier, attempt_of
from notifications.delivery.claim import claim, hand_over
from notifications.delivery.facts import gather
from notifications.delivery.record import RefusedAttempt, record_refusals
from notifications.delivery.relevance import skip_reason
from notifications.events import ingest
from notifications.events.apply import read_due
from notifications.models import Message
from notifications.providers.base.sending import ProviderError
from notifications.providers.base.webhook import RawEvent
from notifications.rules.retry import ErrorClass, GiveUp, Retry, Uncertain
from notifications.rules.states import Status
from tests.factories import MessageFactory
from tests.scripted_webhook import ScriptedWebhook

pytestmark = pytest.mark.django_db

CARRIER = Carrier(task_id="task-1", worker="test@here")
BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
# What the relay and the event reader write, once they hold a message.
NOTE_THE_ATTEMPT = """
INSERT INTO notifications_deliveryattempt
    (message_id, number, provider, result, provider_message_id, error_code, error, task_id, worker)
VALUES (%s, 1, 'scripted', 'ambiguous', '', 'worker-lost', '', '', '') ON CONFLICT DO NOTHING
"""
SUPPRESS = """
INSERT INTO notifications_suppression (address, reason, detail, provider, lift_reason, provider_lift)
VALUES (%s, %s, '', '', '', '')
"""


@pytest.fixture
def scripted_webhook(registered):
    registered("scripted", webhook=ScriptedWebhook)


@pytest.fixture
def other(transactional_db):
    """Another connection to the database."""
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None, "context": None}) as other:
        yield other


def reported(message, **more):
    payload = {"id": str(uuid4()), "kind": "accepted", "message": str(message.id), **more}
    ingest.store("scripted", [RawEvent(payload["id"], payload)])
    read_due()
    return Message.objects.get(id=message.id)


def refuse(message, error_class, decision):
    attempt = attempt_of(message, CARRIER, "scripted", ProviderError(error_class, "as-scripted"), 0.1)
    record_refusals([RefusedAttempt(attempt=attempt, decision=decision)])


def blocked():
    with connection.cursor() as cursor:
        cursor.execute(BLOCKED)
        return cursor.fetchone()[0]


def test_refusal_locks_the_message_before_the_attempt(other):
    message = MessageFactory(sending=True, handed_over=True)

    def report():
        try:
            refuse(message, ErrorClass.TRANSIENT, Retry(5))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        # Well below the second after which PostgreSQL detects deadlocks and ends one side.
        other.execute("SET LOCAL lock_timeout = '300ms'")
        other.execute("SELECT FROM notifications_message WHERE id = %s FOR UPDATE", [message.id])
        reporting = pool.submit(report)
        while not blocked():
            assert not reporting.done()
            time.sleep(0.01)
        other.execute(NOTE_THE_ATTEMPT, [message.id])
        other.commit()
        reporting.result()
    after = Message.objects.get(id=message.id)
    assert (after.status, after.delivery_attempts.get().result) == (Status.QUEUED, "transient")


@pytest.mark.parametrize(
    ("error_class", "decision"),
    [(ErrorClass.AMBIGUOUS, Uncertain()), (ErrorClass.TRANSIENT, Retry(5)), (ErrorClass.PERMANENT, GiveUp("no"))],
)
def test_lost_answer_does_not_overwrite_a_reported_acceptance(scripted_webhook, error_class, decision):
    message = MessageFactory(sending=True, handed_over=True)
    reported(message, attempt=1, provider_message_id="p-1")
    refuse(message, error_class, decision)
    attempt = message.delivery_attempts.get()
    assert (attempt.number, attempt.result, attempt.provider_message_id) == (1, "accepted", "p-1")


def test_refusal_still_overwrites_that_the_worker_was_lost(other):
    message = MessageFactory(sending=True, handed_over=True)
    other.execute(NOTE_THE_ATTEMPT, [message.id])
    other.commit()
    refuse(message, ErrorClass.PERMANENT, GiveUp("no"))
    assert message.delivery_attempts.get().result == "permanent"


def test_event_of_an_older_attempt_does_not_affect_the_current_one(scripted_webhook):
    message = MessageFactory(sending=True, handed_over=True, attempts=2)
    after = reported(message, attempt=1, provider_message_id="p-1")
    assert after.status == Status.SENT
    assert [(row.number, row.result) for row in message.delivery_attempts.all()] == [(2, "ambiguous")]


@pytest.mark.parametrize("reason", ["hard bounce", "soft bounces"])
def test_address_suppressed_during_the_claim_gets_no_email(other, reason):
    message = MessageFactory(kind="password-reset")
    other.execute(SUPPRESS, [message.to_address, reason])
    (claimed,) = claim([message.id])
    ((_, facts),) = gather([claimed])
    assert skip_reason(facts) is None
    other.commit()
    assert not hand_over([claimed], "scripted")
    assert Message.objects.get(id=message.id).attempts == 0
