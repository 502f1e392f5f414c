"""Queue many bulk messages by copying one of them in SQL: `python -m devtools.benchmarks.throughput.grow COUNT`."""

import sys

import django

django.setup()

from django.db import connection  # noqa: E402 - models need the apps to be ready
from psycopg import sql  # noqa: E402

from accounts import emails  # noqa: E402
from accounts.models import User  # noqa: E402
from devtools.benchmarks.throughput.mailroom_enqueue import NEWS  # noqa: E402
from notifications import Draft, enqueue_many  # noqa: E402
from notifications.models import Message  # noqa: E402

ADDRESS = "'grown' || number || '@example.com'"


def main(count: int) -> None:
    pattern = User.objects.create(email="pattern@example.com", wants_news=True)
    (message,) = enqueue_many([Draft(kind=emails.PRODUCT_NEWS.name, to=pattern.email, user=pattern, context=NEWS)])
    numbers = sql.SQL("generate_series(1, {})").format(sql.Literal(count))
    ids = {"id": f"{pattern.pk} + number", "email": ADDRESS}
    copy(User, pattern.pk, ids, numbers)
    copied = {"id": "gen_random_uuid()", "user_id": f"{pattern.pk} + number", "to_address": ADDRESS}
    copy(Message, message.pk, copied | {"idempotency_key": "'grown:' || number"}, numbers)
    Message.objects.filter(user=pattern).delete()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE accounts_user, notifications_message")
    print("done", flush=True)


def copy(model: type[User] | type[Message], key: object, changed: dict[str, str], numbers: sql.Composed) -> None:
    """Insert a copy of the row with this key for each number.

    `changed` are SQL expressions by column.
    """
    columns = [field.column for field in model._meta.concrete_fields]  # noqa: SLF001 - Django's documented API
    values = [sql.SQL(changed[name]) if name in changed else sql.Identifier(name) for name in columns]
    statement = sql.SQL(
        "INSERT INTO {table} ({columns}) SELECT {values} FROM {table}, {numbers} AS number WHERE id = {key}"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            statement.format(
                table=sql.Identifier(model._meta.db_table),  # noqa: SLF001
                columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
                values=sql.SQL(", ").join(values),
                numbers=numbers,
                key=sql.Literal(key),
            ).as_string(cursor.connection)
        )


if __name__ == "__main__":
    main(int(sys.argv[1]))
