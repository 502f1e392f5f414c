"""Indexes for what else was sent to an address within an hour; the first replaces the index of addresses alone."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

from notifications.migrations._postgresql import PostgreSQLMigration


class Migration(PostgreSQLMigration):
    # CREATE INDEX CONCURRENTLY: the table is large, and email is sent meanwhile.
    atomic = False

    dependencies = [("notifications", "0017_attempts_before")]

    operations = [
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                fields=["to_address", "sent_at"],
                name="message_address_idx",
                opclasses=["varchar_pattern_ops", "timestamptz_ops"],
            ),
        ),
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(("status__in", ["sending", "uncertain"])),
                fields=["to_address"],
                name="message_open_idx",
            ),
        ),
        RemoveIndexConcurrently(model_name="message", name="message_to_idx"),
    ]
