"""Fill the tables of the benchmark: `fill ROWS STAMP`. Does nothing if STAMP says that they are filled."""

import hashlib
import sys
from datetime import UTC, datetime
from pathlib import Path

import django

django.setup()

from django.contrib.admin.models import CHANGE, LogEntry  # noqa: E402 - models need the apps to be ready
from django.contrib.contenttypes.models import ContentType  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db.migrations.loader import MigrationLoader  # noqa: E402
from django_celery_results.models import TaskResult  # noqa: E402

from accounts.models import User  # noqa: E402
from devtools.benchmarks.admin import rows  # noqa: E402
from devtools.benchmarks.admin.copying import copies, run, without_secondary_indexes  # noqa: E402
from devtools.benchmarks.admin.progress import Progress  # noqa: E402
from devtools.benchmarks.admin.rows import FIRST_USER, NAME, Sizes, address_of, chance  # noqa: E402
from notifications.models import (  # noqa: E402
    DeliveryAttempt,
    Message,
    Pause,
    ProcessHeartbeat,
    ProviderEvent,
    Suppression,
)
from notifications.operations.rollups import due_hours, roll_up  # noqa: E402

STEP = 50_000
OPERATOR = "operator@example.com"
TABLES = [User, Message, DeliveryAttempt, ProviderEvent, Suppression, TaskResult, LogEntry]
_FEW_CAUSES = "'simulator/' || (ARRAY['http-400', 'MessageRejected', 'timeout', 'http-422'])[1 + n % 4]"
_RECIPIENT_GONE = """jsonb_build_object('event', kind, 'email', address, 'reason', '550 5.1.1 no such user',
    'timestamp', extract(epoch FROM at), 'sg_event_id', md5(n::text), 'ip', '192.0.2.1', 'tls', 1)"""


def main(count: int, stamp: Path) -> None:
    wanted = _stamp(count)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    stamp.unlink(missing_ok=True)
    run("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    call_command("migrate", interactive=False, verbosity=0)
    ContentType.objects.clear_cache()
    fill(Sizes(messages=count, now=datetime.now(UTC)))
    stamp.write_text(wanted)


def _stamp(count: int) -> str:
    leaves = MigrationLoader(None).graph.leaf_nodes()
    sources = b"".join(Path(path).read_bytes() for path in (__file__, str(rows.__file__)))
    return f"{count} {hashlib.sha256(repr(sorted(leaves)).encode() + sources).hexdigest()}\n"


def fill(sizes: Sizes) -> None:
    with without_secondary_indexes([model._meta.db_table for model in TABLES]) as indexes:  # noqa: SLF001 - documented
        insert(sizes)
        progress = Progress("indexes", len(indexes))
        for definition in indexes:
            run(definition)
            progress.advance(1)
    User.objects.create_superuser(OPERATOR)
    for process in ("web", "critical", "main", "bulk", "relay", "beat"):
        ProcessHeartbeat.objects.create(name=f"{process}@bench")
    progress = Progress("vacuum", len(TABLES))
    for model in TABLES:
        run(f"VACUUM ANALYZE {model._meta.db_table}")  # noqa: SLF001 - documented
        progress.advance(1)
    count_hours()
    Pause.objects.create(what=Pause.What.KIND, name="product-news", reason="wrong text", by="operator")
    Pause.objects.create(what=Pause.What.PROVIDER, name="postmark", reason="maintenance", by="operator")


def count_hours() -> None:
    # The dashboard shows the last 30 days.
    due = due_hours()[: 31 * 24]
    progress = Progress("hourly counts", len(due))
    for hour in due:
        roll_up(hour)
        progress.advance(1)


def insert(sizes: Sizes) -> None:
    for name, count, step in (
        ("users", sizes.users, _users),
        ("messages", sizes.messages, _messages),
        ("attempts", sizes.messages, _attempts),
        ("events", sizes.messages, _events),
        ("suppressions", sizes.suppressions, _suppressions),
        ("task results", sizes.results, _results),
        ("log entries", sizes.log_entries, _log_entries),
    ):
        progress = Progress(f"{count:,} {name}", count)
        for first in range(1, count + 1, STEP):
            last = min(first + STEP - 1, count)
            step(sizes, first, last)
            progress.advance(last - first + 1)


def _numbers(first: int, last: int) -> str:
    return f"SELECT n FROM generate_series({first}, {last}) AS n"  # noqa: S608 - numbers


def _users(sizes: Sizes, first: int, last: int) -> None:
    (user,) = User.objects.bulk_create([User(email="pattern@example.com")])
    joined = f"now() - ({sizes.users} - n) * interval '{300 * 86_400 / sizes.users} s'"
    copies(
        user,
        _numbers(first, last),
        id=f"{FIRST_USER} + n",
        email=address_of("n"),
        name=NAME,
        is_staff="n % 50000 = 9",
        is_active="n % 500 <> 3",
        date_joined=joined,
        confirmed_at=f"CASE WHEN n % 50 <> 0 THEN {joined} END",
        last_login=f"CASE WHEN n % 50 <> 0 THEN {joined} END",
        sign_up="CASE WHEN n % 2 = 0 THEN gen_random_uuid() END",
        wants_news="n % 3 = 0",
    )


def _messages(sizes: Sizes, first: int, last: int) -> None:
    message = Message(kind="welcome", stream="default", to_address="pattern@example.com", idempotency_key="pattern")
    copies(
        message,
        rows.messages(sizes, first, last),
        id="id",
        kind="kind",
        stream="stream",
        user_id="user_id",
        to_address="address",
        idempotency_key="CASE WHEN n % 3 = 0 THEN 'order-' || n || ':receipt' ELSE kind || ':' || id END",
        context="CASE WHEN stream = 'bulk' THEN jsonb_build_object('headline', 'News number ' || n / 50000,"
        " 'paragraphs', jsonb_build_array(repeat('x', 120))) ELSE '{}'::jsonb END",
        status="status",
        outcome="outcome",
        outcome_at="CASE WHEN outcome <> 'unknown' THEN at + interval '5 s' END",
        provider="provider",
        attempts="CASE WHEN provider = '' THEN 0 ELSE 1 END",
        created_at="at",
        due_at="at",
        relay_after="CASE WHEN status = 'queued' THEN now() + interval '1 hour' ELSE at END",
        expires_at="at + interval '3 days'",
        sent_at="CASE WHEN status = 'sent' THEN at + interval '1 s' END",
        died_at="CASE WHEN status = 'dead' THEN at + interval '1 hour' END",
        status_reason="CASE WHEN status IN ('cancelled', 'expired') THEN 'no longer relevant' ELSE '' END",
        error_fingerprint=f"CASE WHEN status <> 'dead' THEN ''"
        f" WHEN n % 50 = 3 THEN 'rendering/KeyError-' || {chance(6, 150)} ELSE {_FEW_CAUSES} END",
        settle_at="CASE WHEN status = 'uncertain' THEN now() + interval '1 hour' END",
        lease_token="CASE WHEN status = 'sending' THEN gen_random_uuid() END",  # noqa: S106 - SQL
        lease_until="CASE WHEN status = 'sending' THEN now() + interval '1 hour' END",
    )


def _attempts(sizes: Sizes, first: int, last: int) -> None:
    message = _for_pattern()
    result = "CASE status WHEN 'sent' THEN 'accepted' WHEN 'dead' THEN 'permanent' ELSE 'ambiguous' END"
    copies(
        DeliveryAttempt(message=message, number=1, provider="simulator", result="accepted", worker="main@bench"),
        rows.messages(sizes, first, last, only="status IN ('sent', 'dead', 'uncertain')"),
        message_id="made.id",
        provider="made.provider",
        result=result,
        provider_message_id="CASE WHEN status = 'sent' THEN 'Sim-' || md5(n::text) ELSE '' END",
        error_code="CASE WHEN status = 'sent' THEN '' ELSE 'http-400' END",
        duration_ms="40 + n % 300",
        task_id="made.id::text",
        recorded_at="at + interval '1 s'",
    )
    message.delete()


def _events(sizes: Sizes, first: int, last: int) -> None:
    foreign = "n % 200 = 11"
    copies(
        ProviderEvent(provider="simulator", event_id="pattern", payload={}, state="applied"),
        rows.messages(sizes, first, last, only="status = 'sent' AND outcome <> 'unknown'"),
        provider="made.provider",
        event_id="md5(n::text)",
        payload=_RECIPIENT_GONE,
        state=f"CASE WHEN {foreign} THEN 'foreign' WHEN n % 100000 = 1 THEN 'unreadable' ELSE 'applied' END",
        message_id=f"CASE WHEN NOT ({foreign}) THEN made.id END",
        attempt="1",
        kind="outcome",
        bounce="CASE WHEN outcome <> 'bounced' THEN '' WHEN n % 3 = 0 THEN 'hard' ELSE 'soft' END",
        recipient="address",
        provider_message_id="'Sim-' || md5(n::text)",
        received_at="at + interval '5 s'",
        occurred_at="at + interval '4 s'",
    )


def _suppressions(sizes: Sizes, first: int, last: int) -> None:
    at = f"now() - ({sizes.suppressions} - n) * interval '{300 * 86_400 / sizes.suppressions} s'"
    copies(
        Suppression(address="pattern@example.com", reason="complaint"),
        _numbers(first, last),
        address=address_of("n * 5"),
        reason="CASE WHEN n % 5000 = 7 THEN 'by hand'"
        " ELSE (ARRAY['hard bounce', 'complaint', 'soft bounces', 'unsubscribed'])[1 + n % 4] END",
        provider="CASE WHEN n % 1000 = 1 THEN 'postmark' ELSE 'simulator' END",
        detail="'550 5.1.1 no such user'",
        created_at=at,
        lifted_at=f"CASE WHEN n % 40 = 0 THEN {at} END",
        provider_lift="CASE WHEN n % 40 = 0 THEN 'removed' ELSE '' END",
    )


def _results(sizes: Sizes, first: int, last: int) -> None:
    # The tasks of the newest messages.
    offset = sizes.messages - sizes.results
    copies(
        TaskResult(task_id="pattern", task_name="mailroom.deliver", result='"1 sent"', content_type="application/json"),
        rows.messages(sizes, max(offset, 0) + first, max(offset, 0) + last),
        task_id="made.id::text",
        task_name="CASE WHEN n % 100 = 1 THEN 'mailroom.housekeeping' ELSE 'mailroom.deliver' END",
        status="CASE WHEN n % 5000 = 1 THEN 'FAILURE' ELSE 'SUCCESS' END",
        worker="(ARRAY['critical', 'main', 'bulk'])[1 + n % 3] || '@bench'",
        date_created="at",
        date_started="at",
        date_done="at",
    )


def _log_entries(sizes: Sizes, first: int, last: int) -> None:
    user = User.objects.filter(is_staff=True).order_by("pk").first() or User.objects.order_by("pk")[0]
    entry = LogEntry(
        user=user,
        content_type=ContentType.objects.get_for_model(Message),
        object_repr="welcome",
        action_flag=CHANGE,
        change_message="Resent.",
    )
    step = sizes.messages // sizes.log_entries
    copies(
        entry,
        rows.messages(sizes, step * (first - 1) + 1, step * last, only=f"n % {step} = 0"),
        object_id="made.id::text",
        action_time="at",
        user_id=f"{FIRST_USER} + 1 + n % 20",
        action_flag="CASE WHEN n % 1000 = 0 THEN 3 ELSE 2 END",
    )


def _for_pattern() -> Message:
    return Message.objects.create(
        kind="welcome", stream="default", to_address="pattern@example.com", idempotency_key="pattern"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
