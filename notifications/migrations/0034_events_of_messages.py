"""Leave events without a message out of their index by message: the admin's search has indexes for them."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

from notifications.migrations._postgresql import PostgreSQLMigration

# Django made it for the foreign key.
_BEFORE, _TABLE = "notifications_providerevent_message_id_7178c06a", "notifications_providerevent"


class Migration(PostgreSQLMigration):
    # CONCURRENTLY: the table is large, and events arrive meanwhile.
    atomic = False

    dependencies = [("notifications", "0033_shadow_copies")]

    operations = [
        AddIndexConcurrently(
            model_name="providerevent",
            index=models.Index(
                condition=models.Q(("message__isnull", False)), fields=["message"], name="event_message_idx"
            ),
        ),
        migrations.RunSQL(
            f"DROP INDEX CONCURRENTLY IF EXISTS {_BEFORE}",
            f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {_BEFORE} ON {_TABLE} (message_id)",
            state_operations=[
                migrations.AlterField(
                    model_name="providerevent",
                    name="message",
                    field=models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="notifications.message",
                        verbose_name="message",
                    ),
                )
            ],
        ),
    ]
