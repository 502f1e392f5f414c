"""Fills large tables, skewed as real ones are, so that the planner chooses as it does in production."""

from uuid import uuid4

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django_celery_results.models import TaskResult

from accounts.models import User
from notifications.models import (
    DeliveryAttempt,
    HourlyDomain,
    HourlyTraffic,
    Message,
    MessageContent,
    PendingChange,
    ProviderEvent,
    ShadowCopy,
    Suppression,
)
from notifications.rules.content import Content, packed

USERS = 25_000
MESSAGES = 40_000
SUPPRESSIONS = 25_000
# The address of a monitor, with more email of one kind than a statement may read.
BUSY_ADDRESS = "monitor@example.com"
TABLES = (
    *(User, Message, DeliveryAttempt, ProviderEvent, Suppression, TaskResult, LogEntry),
    *(HourlyTraffic, HourlyDomain, PendingChange, MessageContent, ShadowCopy),
)

# Nineteen of twenty are sent; dead letters are kept forever; few are open.
_STATUS = """
CASE WHEN n %% 20 < 18 THEN 'sent' WHEN n %% 20 = 18 THEN 'dead' WHEN n %% 1000 = 19 THEN 'queued'
    WHEN n %% 1000 = 39 THEN 'uncertain' WHEN n %% 1000 = 59 THEN 'suppressed' ELSE 'expired' END
"""
_KIND = "(ARRAY['welcome', 'password-reset', 'product-news', 'password-changed'])[1 + n %% 4]"
_STREAM = "(ARRAY['default', 'critical', 'bulk', 'critical'])[1 + n %% 4]"
# Rows and ids have one order, as ids grow with time: the planner expects few pages for a range of ids.
_ID = f"(lpad(to_hex({MESSAGES} - n), 8, '0') || substr(md5('{{}}' || n), 9))::uuid"


def fill() -> None:
    """Fill and analyze every table that grows with the email that is sent."""
    _users()
    _messages()
    _attempts()
    _events()
    _suppressions()
    _logs()
    _rollups()
    _changes()
    _contents()
    _shadow_copies()
    with connection.cursor() as cursor:
        for model in TABLES:
            cursor.execute(f"ANALYZE {model._meta.db_table}")


def empty() -> None:
    tables = ", ".join(model._meta.db_table for model in TABLES)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} CASCADE")


def copies(row, count, **columns):
    """Insert `count` copies of an unsaved row; `columns` are SQL over n, the number of the copy.

    Other columns have the value of the row, so that a new column needs no change here.
    """
    row.save()
    fields = [field for field in row._meta.concrete_fields if field.column in columns or not field.primary_key]
    names = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(columns.get(field.column, f'template."{field.column}"') for field in fields)
    table = row._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} AS template, generate_series(1, %s) AS n"  # noqa: S608
            f" WHERE template.{row._meta.pk.column} = %s",
            [count, row.pk],
        )
    type(row).objects.filter(pk=row.pk).delete()


def _users():
    (user,) = User.objects.bulk_create([User(email="template@example.com")])
    copies(
        user,
        USERS,
        email="'member' || n || '@example.com'",
        date_joined="now() - n * interval '1 minute'",
        # Few users never confirm.
        confirmed_at="CASE WHEN n %% 50 <> 0 THEN now() - n * interval '1 minute' END",
        last_login="CASE WHEN n %% 50 <> 0 THEN now() - n * interval '1 minute' END",
        sign_up="CASE WHEN n %% 2 = 0 THEN gen_random_uuid() END",
    )


def _messages():
    base = "(SELECT min(id) FROM accounts_user)"
    copies(
        Message(kind="welcome", stream="default", to_address="template@example.com", idempotency_key="template"),
        MESSAGES,
        id=_ID.format("message"),
        kind=_KIND,
        stream=_STREAM,
        user_id=f"CASE WHEN n %% 30 <> 18 THEN {base} + n %% {USERS} END",
        to_address=f"CASE WHEN n > {MESSAGES // 2} AND n %% 4 = 3 THEN '{BUSY_ADDRESS}'"
        f" ELSE 'member' || 1 + n %% {USERS} || '@example.com' END",
        idempotency_key="'fill:' || n",
        status=_STATUS,
        provider="'scripted'",
        outcome="CASE WHEN n %% 20 < 17 THEN 'delivered' WHEN n %% 200 = 17 THEN 'bounced' ELSE 'unknown' END",
        attempts="1",
        # Old messages without an account were anonymized long ago.
        created_at="now() - n * interval '1 minute'",
        due_at="now() - n * interval '1 minute'",
        relay_after="now() + interval '1 hour'",
        expires_at="now() + interval '1 day'",
        sent_at="CASE WHEN n %% 20 < 18 THEN now() - n * interval '1 minute' END",
        died_at="CASE WHEN n %% 20 = 18 THEN now() - n * interval '1 minute' END",
        error_fingerprint="CASE WHEN n %% 20 = 18 THEN 'scripted/' || n %% 7 ELSE '' END",
        settle_at="CASE WHEN n %% 1000 = 39 THEN now() + interval '1 hour' END",
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE notifications_message SET to_address = '', forgotten_at = now()"
            " WHERE user_id IS NULL AND created_at < now() - interval '7 days'"
        )


def _attempts():
    message = Message.objects.create(kind="welcome", stream="default", to_address="a@b.example", idempotency_key="t")
    copies(
        DeliveryAttempt(message=message, number=1, provider="scripted", result="accepted"),
        MESSAGES,
        message_id=_ID.format("message"),
        provider_message_id="'scripted-fill-' || n",
        recorded_at="now() - n * interval '1 minute'",
    )
    message.delete()


def _events():
    event = {"provider": "scripted", "payload": {}, "state": "applied"}
    for kind, number in (("accepted", 1), ("delivered", 2)):
        copies(
            ProviderEvent(**event, event_id=kind, kind=kind),
            MESSAGES,
            event_id=f"'{kind}' || n",
            # Another application uses the same account.
            message_id=f"CASE WHEN n %% 200 <> 11 THEN {_ID.format('message')} END",
            recipient=f"'member' || 1 + n %% {USERS} || '@example.com'",
            # One address and one id of a provider have few events.
            provider_message_id="'scripted-fill-' || n",
            bounce="CASE WHEN n %% 500 = 17 THEN 'hard' WHEN n %% 100 = 17 THEN 'soft' ELSE '' END",
            received_at=f"now() - n * interval '1 minute' + {number} * interval '1 second'",
        )


def _suppressions():
    copies(
        Suppression(address="template@example.com", reason="complaint"),
        SUPPRESSIONS,
        address="'gone' || n || '@example.com'",
        reason="(ARRAY['hard bounce', 'complaint', 'soft bounces', 'unsubscribed'])[1 + n %% 4]",
        created_at="now() - n * interval '1 minute'",
        probe_id="CASE WHEN n %% 4 = 2 THEN gen_random_uuid() END",
        lifted_at="CASE WHEN n %% 10 = 0 THEN now() - n * interval '1 minute' END",
        provider_lift="CASE WHEN n %% 10 = 0 THEN 'taken off' ELSE '' END",
    )


def _logs():
    copies(
        TaskResult(task_id=str(uuid4())),
        10_000,
        task_id="gen_random_uuid()::text",
        date_done="now() - n * interval '1 minute'",
        date_created="now() - n * interval '1 minute'",
    )
    admin = User.objects.order_by("pk").first()
    entry = LogEntry(user=admin, content_type=ContentType.objects.get_for_model(Message), object_repr="", action_flag=2)
    copies(entry, 10_000, object_id="gen_random_uuid()::text", user_id=f"{admin.pk} + n %% {USERS}")


def _changes():
    # A receiver fails, so they wait for its next call.
    row = PendingChange(message_id=uuid4(), change="sent")
    times = {"at": "now() - n * interval '1 second'", "due_at": "now() + interval '1 day' + n * interval '1 second'"}
    copies(row, MESSAGES // 2, message_id=_ID.format("message"), **times)


def _contents():
    message = Message.objects.create(kind="welcome", stream="default", to_address="a@b.example", idempotency_key="t")
    copies(
        MessageContent(message=message, packed=packed(Content(to_name="Ada")), further=["a@b.example"], digest="d"),
        MESSAGES,
        message_id=_ID.format("message"),
        created_at="now() - n * interval '1 minute'",
        # Those of a week are kept.
        packed="CASE WHEN n < 10000 THEN template.packed END",
    )
    message.delete()


def _shadow_copies():
    # Of the messages. A few are too old.
    row = ShadowCopy(id=uuid4(), old_ms=100, new_ms=4)
    composed = dict.fromkeys(("created_at", "composed_at"), "now() - n * interval '65 seconds'")
    copies(row, MESSAGES, id=_ID.format("message"), **composed)


def _rollups():
    hour = {"hour": "date_trunc('hour', now()) - n * interval '1 hour'"}
    at = "2000-01-01T00:00Z"
    for stream in ("critical", "default", "bulk"):
        copies(HourlyTraffic(hour=at, stream=stream, provider="scripted"), 9_000, **hour)
    for number in range(51):
        copies(HourlyDomain(hour=at, domain=f"{number}.example"), 400, **hour)
