"""Drop the indexes of foreign keys that others cover; message ids grow with time."""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

from notifications.migrations._postgresql import PostgreSQLMigration
import notifications.rules.ids


def without_index(model_name: str, name: str, field: models.Field, index: str, column: str) -> migrations.RunSQL:
    """Drop the index that Django made for a foreign key, without blocking the table."""
    table = f"notifications_{model_name}"
    return migrations.RunSQL(
        f"DROP INDEX CONCURRENTLY IF EXISTS {index}",
        f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {index} ON {table} ({column})",
        state_operations=[migrations.AlterField(model_name=model_name, name=name, field=field)],
    )


class Migration(PostgreSQLMigration):
    # CONCURRENTLY: the tables are large, and email is sent meanwhile.
    atomic = False

    dependencies = [
        ("notifications", "0021_more_labels"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # No statement: the default is made in Python.
        migrations.AlterField(
            model_name="message",
            name="id",
            field=models.UUIDField(
                default=notifications.rules.ids.time_ordered_id,
                editable=False,
                primary_key=True,
                serialize=False,
                verbose_name="ID",
            ),
        ),
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(("resend_of__isnull", False)), fields=["resend_of"], name="message_resend_idx"
            ),
        ),
        without_index(
            "message",
            "resend_of",
            models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="resends",
                to="notifications.message",
                verbose_name="resend of",
            ),
            "notifications_message_resend_of_id_e2c102dd",
            "resend_of_id",
        ),
        without_index(
            "message",
            "user",
            models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="messages",
                to=settings.AUTH_USER_MODEL,
                verbose_name="account",
            ),
            "notifications_message_user_id_89f939e6",
            "user_id",
        ),
        without_index(
            "deliveryattempt",
            "message",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="delivery_attempts",
                to="notifications.message",
                verbose_name="message",
            ),
            "notifications_deliveryattempt_message_id_1218c8a5",
            "message_id",
        ),
    ]
