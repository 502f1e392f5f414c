"""The cost of reading a batch of events does not depend on the size of the tables."""

from uuid import uuid4

import pytest
from django.db import connection
from django.db.models.functions import Now

from notifications.events import ingest
from notifications.events.apply import read_due
from notifications.models import DeliveryAttempt, Message, ProviderEvent
from notifications.outbox import recover
from notifications.providers.base.webhook import RawEvent
from notifications.rules.states import Status
from tests.notifications.events.plans import plans_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

ROWS = 40_000
# PostgreSQL estimates lists of up to 100 values one by one; this is more.
EACH = 120
TABLES = {"notifications_message", "notifications_deliveryattempt", "notifications_providerevent"} | {
    "notifications_suppression"
}
FILL = (
    """
    INSERT INTO notifications_message (id, kind, stream, to_address, context, idempotency_key, status, status_reason,
        provider, outcome, uncertain_resends, attempts, relayed, sent_at)
    SELECT gen_random_uuid(), 'welcome', 'default', 'old' || n || '@example.com', '{}', 'old:' || n, 'sent', '',
        'scripted', 'delivered', 0, 1, 0, now() - interval '1 day'
    FROM generate_series(1, %s) AS n
    """,
    """
    INSERT INTO notifications_deliveryattempt (message_id, number, provider, result, error_code, error,
        provider_message_id, duration_ms, worker, task_id, recorded_at)
    SELECT id, 1, 'scripted', 'accepted', '', '', 'old-' || id, 1, '', '', now()
    FROM notifications_message LIMIT %s
    """,
    """
    INSERT INTO notifications_providerevent (provider, event_id, payload, state, message_id, kind, bounce, recipient,
        provider_message_id, detail)
    SELECT 'scripted', 'old' || row_number() OVER (), '{}', 'applied', id, 'bounced',
        (ARRAY['soft', 'hard', ''])[1 + (row_number() OVER ()) % 3], to_address, 'old-' || id, ''
    FROM notifications_message LIMIT %s
    """,
    """
    INSERT INTO notifications_suppression (address, reason, detail, provider, lifted_at, lift_reason, provider_lift,
        probe_id)
    SELECT 'old' || n || '@example.com', (ARRAY['hard bounce', 'soft bounces', 'complaint'])[1 + n % 3], '', 'scripted',
        CASE WHEN n % 4 = 0 THEN now() END, '', '', CASE WHEN n % 2 = 0 THEN gen_random_uuid() END
    FROM generate_series(1, %s) AS n
    """,
)
REPORTS = (
    {"kind": "bounced", "bounce": "hard"},
    {"kind": "bounced", "bounce": "soft"},
    {"kind": "complained"},
    {"kind": "not spam"},
    {"kind": "unsubscribed"},
    {"kind": "delivered"},
)


MESSAGES, ATTEMPTS, EVENTS, SUPPRESSIONS = FILL


def fill(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.replace(" % ", " %% "), [ROWS])
        for table in sorted(TABLES):
            cursor.execute(f"VACUUM ANALYZE {table}")


def sent(number):
    return Message(
        kind="welcome",
        stream="default",
        to_address=f"new{number}@example.com",
        idempotency_key=f"new:{number}",
        status=Status.SENT,
        sent_at=Now(),
    )


def report(report, messages, *, by_provider_id):
    """Store an event about each message, with our id or the provider's."""
    events = []
    for message in messages:
        named = {"provider_message_id": f"new-{message.id}"} if by_provider_id else {"message": str(message.id)}
        events.append(RawEvent(str(uuid4()), {**report, **named}))
    ingest.store("scripted", events)


def test_batch_scans_no_table_and_costs_few_statements():
    fill(*FILL)
    for said in REPORTS:
        for by_provider_id in (False, True):
            messages = Message.objects.bulk_create([sent(number) for number in range(EACH)])
            DeliveryAttempt.objects.bulk_create(
                [
                    DeliveryAttempt(message=one, number=1, result="accepted", provider_message_id=f"new-{one.id}")
                    for one in messages
                ]
            )
            report(said, messages, by_provider_id=by_provider_id)
            read, plans = plans_of(read_due)
            assert read == {"applied": EACH}
            assert not plans.scanned.keys() & TABLES, plans.scanned
            assert len(plans.pages) < 20
            Message.objects.filter(id__in=[one.id for one in messages]).delete()


def test_oldest_unread_event_is_found_without_reading_the_others():
    """The relay queries it in every round; a backlog of events must not slow its rounds."""
    fill(MESSAGES, EVENTS)
    ProviderEvent.objects.update(state="stored")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE notifications_providerevent")
    _, plans = plans_of(recover.settle_uncertain)
    assert not plans.scanned.keys() & TABLES, plans.scanned
    assert max(plans.pages.values()) < 50, plans.pages
