"""Indexes of the admin's searches: docs/decisions/0055-lists-of-the-newest.md."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

from notifications.migrations._postgresql import PostgreSQLMigration

_TABLE, _UNIQUE, _NEW = "notifications_message", "notifications_message_key_unique", "message_key_new_idx"


def _replaced(operators: str, exchange: str) -> list[str]:
    # The key is unique at any time, also if this is interrupted and repeated: the last string is one transaction.
    # Statements of the release before name no index.
    return [
        f"DROP INDEX CONCURRENTLY IF EXISTS {_NEW}",
        f"CREATE UNIQUE INDEX CONCURRENTLY {_NEW} ON {_TABLE} (idempotency_key {operators})",
        f"ALTER TABLE {_TABLE} DROP CONSTRAINT IF EXISTS {_UNIQUE}; DROP INDEX IF EXISTS {_UNIQUE}; {exchange}",
    ]


# In the order of bytes, so that it finds the beginning of a key in any collation. Then it cannot be a constraint's.
_BY_BYTES = _replaced("varchar_pattern_ops", f"ALTER INDEX {_NEW} RENAME TO {_UNIQUE}")
_CONSTRAINT = _replaced("", f"ALTER TABLE {_TABLE} ADD CONSTRAINT {_UNIQUE} UNIQUE USING INDEX {_NEW}")


class Migration(PostgreSQLMigration):
    # CONCURRENTLY: the tables are large, and email is sent meanwhile.
    atomic = False

    dependencies = [("notifications", "0029_rechecked_suppressions")]

    operations = [
        migrations.RunSQL(
            _BY_BYTES,
            _CONSTRAINT,
            state_operations=[
                migrations.RemoveConstraint(model_name="message", name=_UNIQUE),
                migrations.AddConstraint(
                    model_name="message",
                    constraint=models.UniqueConstraint(
                        fields=("idempotency_key",), name=_UNIQUE, opclasses=["varchar_pattern_ops"]
                    ),
                ),
            ],
        ),
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(("status__in", ["queued", "sending"]), _negated=True),
                fields=["kind", "-created_at"],
                name="message_kind_idx",
            ),
        ),
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(("status__in", ["suppressed", "expired", "cancelled"])),
                fields=["status", "-created_at"],
                name="message_ended_idx",
            ),
        ),
        AddIndexConcurrently(
            model_name="providerevent",
            index=models.Index(
                condition=models.Q(
                    ("kind__in", ["deferred", "bounced", "complained", "rejected", "not spam", "unsubscribed"])
                ),
                fields=["kind", "-received_at"],
                name="event_kind_idx",
            ),
        ),
        AddIndexConcurrently(
            model_name="suppression",
            index=models.Index(fields=["reason", "-created_at"], name="suppression_reason_idx"),
        ),
    ]
