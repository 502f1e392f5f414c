"""Storage parameters for tables that are updated all the time: docs/decisions/0076-few-indexes-and-room-in-each-page.md."""

from django.db import migrations

from notifications.migrations._postgresql import PostgreSQLMigration

# Neither rewrites a table nor blocks its readers and writers. Pages that are full stay full.
_MESSAGES = {
    # A message's row is rewritten three times; in the same page, the hand-over writes no index.
    "fillfactor": 70,
    # Of ten million rows, a fifth would be two million dead ones.
    "autovacuum_vacuum_scale_factor": 0.05,
    "autovacuum_analyze_scale_factor": 0.02,
}


def _set() -> str:
    values = ", ".join(f"{name} = {value}" for name, value in _MESSAGES.items())
    return f"ALTER TABLE notifications_message SET ({values})"


def _reset() -> str:
    return f"ALTER TABLE notifications_message RESET ({', '.join(_MESSAGES)})"


class Migration(PostgreSQLMigration):
    dependencies = [("notifications", "0022_fewer_indexes")]

    operations = [migrations.RunSQL(_set(), _reset())]
