"""A round of the relay reads only what it publishes, however large the table is."""

import json

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from notifications.models import Message
from notifications.outbox import relay
from notifications.runtime.redis_client import client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

ROWS = 50_000
DUE = 40
# Published, and in the broker.
CARRIED = 40
PAGES_A_ROW = 30
FILL = """
INSERT INTO notifications_message (id, kind, stream, to_address, context, idempotency_key, status, status_reason,
    provider, uncertain_resends, attempts, relayed, created_at, due_at, relay_after, sent_at, lease_token, lease_until,
    settle_at, died_at)
SELECT gen_random_uuid(), 'welcome', stream, 'person' || n || '@example.com', '{{}}', prefix || n, status, '', '',
    0, 0, 0, now() - n * interval '1 second', now() - interval '1 day', now() + relay_in * interval '1 second',
    CASE WHEN status = 'sent' THEN now() END,
    CASE WHEN status = 'sending' THEN gen_random_uuid() END,
    CASE WHEN status = 'sending' THEN now() + interval '1 hour' END,
    CASE WHEN status = 'uncertain' THEN now() + interval '1 hour' END,
    CASE WHEN status = 'dead' THEN now() END
FROM (
    SELECT n, '{prefix}' AS prefix, {relay_in} AS relay_in, {status} AS status,
        (ARRAY['critical', 'default', 'bulk'])[1 + n %% 3] AS stream
    FROM generate_series(1, %s) AS n
) AS made
"""
OLD = "(ARRAY['sent', 'sent', 'sent', 'sent', 'dead', 'uncertain', 'sending', 'cancelled', 'expired'])[1 + n %% 9]"


class Reading:
    """Collect what each statement reads (pages of 8 KiB), and whether it scans a whole table."""

    def __init__(self):
        self.pages = {}
        self.scanned = set()

    def __call__(self, execute, sql, params, many, context):
        if "notifications_message" in sql:
            explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}"
            # Rolled back, because the statement itself follows.
            with transaction.atomic():
                execute(explain, params, many, context)
                ((plan, *_),) = context["cursor"].fetchall()
                transaction.set_rollback(True)
            plan = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
            self.pages[sql] = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
            self.scanned |= set(_scans(plan))
        return execute(sql, params, many, context)


def _scans(plan):
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from _scans(part)


def fill(count, *, prefix, relay_in, status=OLD):
    with connection.cursor() as cursor:
        cursor.execute(FILL.format(prefix=prefix, relay_in=relay_in, status=status), [count])
        cursor.execute("VACUUM ANALYZE notifications_message")


def read_by(work):
    """Return the result of `work`, and the pages that its statements read, without a scan."""
    reading = Reading()
    with connection.execute_wrapper(reading):
        done = work()
    assert "notifications_message" not in reading.scanned
    return done, reading.pages


def test_round_and_release_read_only_their_messages_in_a_large_table():
    client().set(relay.SENTINEL, client().info("server")["run_id"])
    fill(ROWS, prefix="old", relay_in=3600)
    fill(CARRIED, prefix="carried", relay_in=30, status="'queued'")
    fill(DUE, prefix="due", relay_in=-5, status="'queued'")
    done, pages = read_by(lambda: relay.run_once(relay.Round()))
    assert sum(done.published.values()) == DUE
    # Whether there is work, ended leases, uncertain messages, held messages, due messages of a stream.
    assert len(pages) == 5
    # A row and its dozen indexes; a scan of the table would be 1,250 at least.
    assert sum(pages.values()) < PAGES_A_ROW * DUE, pages
    quiet, pages = read_by(lambda: relay.run_once(relay.Round()))
    assert quiet.idle
    assert len(pages) == 1
    assert sum(pages.values()) < PAGES_A_ROW * CARRIED, pages
    released, pages = read_by(lambda: relay.release_after_loss(unsure=True))
    assert released
    assert sum(pages.values()) < PAGES_A_ROW * (CARRIED + DUE), pages
    assert Message.objects.filter(status="queued", relay_after__lte=Now()).count() == CARRIED + DUE
