"""Measure how many provider events per second are verified, stored and processed: SendGrid in batches, SNS one by one.

Starts a stack with the shipped settings. The events are about existing messages, which change from uncertain to
sent and delivered. Requests are signed before the measurement.
"""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import requests

from devtools.simulator.journal import Entry
from devtools.simulator.outcomes import Event
from devtools.simulator.reports.base import Happening, Post, Reports
from devtools.simulator.reports.sendgrid import SendGridReports
from devtools.simulator.reports.ses import SesReports
from devtools.simulator.signing import kept_keys
from devtools.stack.console import say
from devtools.stack.ports import free_port
from devtools.stack.stack import Ports, Stack

BATCHES, BATCH = 40, 500
NOTIFICATIONS = 3000
SENDERS = 4
READ_WITHIN_S = 120.0
MESSAGES = """
INSERT INTO notifications_message (
    id, kind, stream, to_address, context, idempotency_key, status, status_reason, provider, outcome, uncertain_resends,
    attempts, relayed
)
SELECT
    id, 'product-news', 'bulk', id || '@example.com', '{}', 'bench:' || id, 'uncertain', '', '', 'unknown', 0, 1, 0
FROM unnest(%s::uuid[]) AS id
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        ports = Ports(web=free_port(), flower=free_port(), simulator=free_port())
        stack = Stack(Path(folder), ports, os.environ)
        with stack.running(say):
            measure(stack)


def measure(stack: Stack) -> None:
    # The site verifies reports with these keys.
    keys = kept_keys(stack.simulator_keys)
    batches = [[uuid4() for _ in range(BATCH)] for _ in range(BATCHES)]
    singles = [[uuid4()] for _ in range(NOTIFICATIONS)]
    with closing(psycopg.connect(stack.environment["DATABASE_URL"], autocommit=True)) as database:
        database.execute(MESSAGES, [[message_id for ids in (*batches, *singles) for message_id in ids]])

        def read() -> int:
            row = database.execute("SELECT count(*) FROM notifications_message WHERE outcome = 'delivered'").fetchone()
            return int(row[0]) if row else 0

        stored, applied = rates(stack, "sendgrid", [report(SendGridReports(keys), ids) for ids in batches], read)
        sns_stored, sns_applied = rates(stack, "ses", [report(SesReports(keys), ids) for ids in singles], read)
    say(
        f"webhooks: sendgrid_stored_per_s={stored * BATCH:.0f} sendgrid_read_per_s={applied * BATCH:.0f} "
        f"sns_stored_per_s={sns_stored:.0f} sns_read_per_s={sns_applied:.0f}"
    )


def report(reports: Reports, message_ids: Sequence[UUID]) -> Post:
    """Return a provider's signed request that reports the delivery of these messages."""
    now = datetime.now(UTC)
    events = [
        reports.event(Happening(entry=mail_of(message_id, now), event=Event.DELIVERED, event_id=str(uuid4()), at=now))
        for message_id in message_ids
    ]
    return reports.post([event for event in events if event is not None])


def mail_of(message_id: UUID, now: datetime) -> Entry:
    ours = {"mailroom_message_id": str(message_id), "mailroom_attempt": "1"}
    return Entry(
        provider="",
        provider_message_id=uuid4().hex,
        to=f"{message_id}@example.com",
        sender="hello@mailroom.example",
        metadata=ours,
        tags=ours,
        accepted_at=now.isoformat(),
    )


def rates(stack: Stack, provider: str, posts: Sequence[Post], read: Callable[[], int]) -> tuple[float, float]:
    """Post everything over a few connections. Return the requests per second that were answered and processed."""
    url = f"{stack.site_url}/webhooks/{provider}/"
    events = len(posts) * (BATCH if provider == "sendgrid" else 1)
    before = read()

    def send(share: Sequence[Post]) -> None:
        with requests.Session() as session:
            session.trust_env = False
            for post in share:
                session.post(url, post.body, headers=dict(post.headers), timeout=60).raise_for_status()

    began = time.perf_counter()
    with ThreadPoolExecutor(SENDERS) as senders:
        list(senders.map(send, [posts[number::SENDERS] for number in range(SENDERS)]))
    answered_s = time.perf_counter() - began
    while read() - before < events:
        if time.perf_counter() - began > READ_WITHIN_S:
            raise SystemExit(f"{read() - before} of {events} events were processed within {READ_WITHIN_S:g} s")
        time.sleep(0.1)
    return len(posts) / answered_s, len(posts) / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
