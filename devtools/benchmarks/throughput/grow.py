"""Fill the tables with SQL: `grow queued COUNT KEY` or `grow history COUNT USERS`.

`queued`: bulk messages to as many users, copies of one that was enqueued. `history`: finished messages with their
attempts to the same users, in the 300 days before, copies of one that was sent.
"""

import sys

import django

django.setup()

from django.db import connection, transaction  # noqa: E402 - models need the apps to be ready
from psycopg import sql  # noqa: E402

from accounts.models import User  # noqa: E402
from devtools.benchmarks.throughput.bulletin.emails import BULLETIN  # noqa: E402
from devtools.benchmarks.throughput.mailroom_enqueue import NEWS  # noqa: E402
from notifications import Draft, enqueue_many  # noqa: E402
from notifications.models import DeliveryAttempt, Message  # noqa: E402
from notifications.rules.states import Status  # noqa: E402

FIRST_USER = 1_000_000_000
HISTORY_S = 300 * 86_400
# It grows with time, as `time_ordered_id` does.
ID = "(lpad(to_hex((1000 * extract(epoch FROM {at}))::bigint), 12, '0') || right(gen_random_uuid()::text, 22))::uuid"
WRITTEN = "SELECT id, created_at AS at FROM notifications_message WHERE idempotency_key LIKE 'history:%'"
ADDRESS = "'grown' || {number} || '@example.com'"


def queued(count: int, key: str) -> None:
    pattern, _ = User.objects.get_or_create(email="pattern@example.com", defaults={"wants_news": True})
    (message,) = enqueue_many([Draft(kind=BULLETIN.name, to=pattern.email, user=pattern, context=NEWS)])
    numbers = sql.SQL("SELECT generate_series(1, {}) AS number").format(sql.Literal(count))
    address = ADDRESS.format(number="made.number")
    user = f"{FIRST_USER} + made.number"
    copy(User, pattern.pk, {"id": user, "email": address}, numbers)
    changed = {"id": ID.format(at="clock_timestamp()"), "user_id": user, "to_address": address}
    copy(Message, message.pk, changed | {"idempotency_key": f"'{key}:' || made.number"}, numbers)
    Message.objects.filter(user=pattern).delete()


def history(count: int, users: int) -> None:
    """Insert without secondary indexes, and create these again at the end: ten times as fast."""
    message = Message.objects.filter(status=Status.SENT, stream="bulk").order_by("-sent_at")[0]
    attempt = message.delivery_attempts.get()
    # Oldest first, as they would have been written.
    made = sql.SQL(
        """
        SELECT number, at, {new_id} AS id
        FROM (SELECT 1 + step % {users} AS number, now() - interval '2 hours' - step * {step_s} * interval '1 s' AS at
            FROM generate_series({count}, 1, -1) AS step) AS steps
        """
    ).format(
        new_id=sql.SQL(ID.format(at="at")),
        users=sql.Literal(users),
        count=sql.Literal(count),
        step_s=sql.Literal(HISTORY_S / count),
    )
    changed = {
        "id": "made.id",
        "user_id": f"{FIRST_USER} + made.number",
        "to_address": ADDRESS.format(number="made.number"),
        "idempotency_key": "'history:' || made.id",
        **dict.fromkeys(("created_at", "due_at", "relay_after"), "made.at"),
        "sent_at": "made.at + interval '1 s'",
        "expires_at": "made.at + interval '7 days'",
    }
    attempt_changed = {
        "id": "nextval(pg_get_serial_sequence('notifications_deliveryattempt', 'id'))",
        "message_id": "made.id",
        "provider_message_id": "made.id::text",
        "recorded_at": "made.at + interval '1 s'",
    }
    with transaction.atomic(), connection.cursor() as cursor:
        # Referenced rows exist; checking each of them costs more than the rows.
        cursor.execute("SET LOCAL session_replication_role = replica; SET LOCAL maintenance_work_mem = '512MB'")
        tables = [Message._meta.db_table, DeliveryAttempt._meta.db_table]  # noqa: SLF001 - Django's documented API
        indexes = secondary_indexes(tables)
        for name, _ in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        copy(Message, message.pk, changed, made)
        copy(DeliveryAttempt, attempt.pk, attempt_changed, sql.SQL(WRITTEN).format())
        for _, definition in indexes:
            cursor.execute(definition)


def secondary_indexes(tables: list[str]) -> list[tuple[str, str]]:
    """Return name and definition of the indexes that belong to no constraint."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s)"
            " AND indexname NOT IN (SELECT conname FROM pg_constraint)",
            [tables],
        )
        return list(cursor.fetchall())


def copy(
    model: type[User | Message | DeliveryAttempt], key: object, changed: dict[str, str], made: sql.Composed
) -> None:
    """Insert a copy of the row with this key for each row of the query `made`, unless it exists.

    `changed` are SQL expressions by column.
    """
    columns = [field.column for field in model._meta.concrete_fields]  # noqa: SLF001
    values = [sql.SQL(changed[name]) if name in changed else sql.Identifier("pattern", name) for name in columns]
    statement = sql.SQL(
        "INSERT INTO {table} ({columns}) SELECT {values} FROM ({made}) AS made, {table} AS pattern"
        " WHERE pattern.id = {key} ON CONFLICT DO NOTHING"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            statement.format(
                table=sql.Identifier(model._meta.db_table),  # noqa: SLF001
                columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
                values=sql.SQL(", ").join(values),
                made=made,
                key=sql.Literal(key),
            ).as_string(cursor.connection)
        )


def main(what: str, count: str, other: str) -> None:
    if what == "queued":
        queued(int(count), other)
    else:
        history(int(count), int(other))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE accounts_user, notifications_message, notifications_deliveryattempt")
    print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
