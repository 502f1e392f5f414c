"""Changes of messages that the application has not handled yet."""

import django.contrib.postgres.fields
import django.db.models.functions.datetime
from django.db import migrations, models

from notifications.migrations._postgresql import PostgreSQLMigration

_NAMES = {"base_field": models.TextField()}
_CHANGES = (
    *("sent", "suppressed", "expired", "cancelled", "dead"),
    *("delivered", "rejected", "bounced", "complained"),
)


class Migration(PostgreSQLMigration):
    dependencies = [("notifications", "0030_search")]

    operations = [
        migrations.CreateModel(
            name="PendingChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("message_id", models.UUIDField()),
                ("change", models.CharField(choices=[(name, name) for name in _CHANGES], max_length=16)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("due_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("tries", models.PositiveSmallIntegerField(db_default=0, default=0)),
                (
                    "handled_by",
                    django.contrib.postgres.fields.ArrayField(
                        **_NAMES,
                        db_default=models.Value([], django.contrib.postgres.fields.ArrayField(**_NAMES)),
                        default=list,
                        size=None,
                    ),
                ),
                ("error", models.CharField(db_default="", default="", max_length=300)),
            ],
            options={
                "db_table": "notifications_change",
                "ordering": ["id"],
                "default_permissions": (),
                "indexes": [models.Index(fields=["due_at", "id"], name="change_due_idx")],
            },
        ),
    ]
