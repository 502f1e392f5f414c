"""What another backend and Mailroom did with the same email."""

import django.db.models.functions.datetime
from django.db import migrations, models

from notifications.migrations._postgresql import PostgreSQLMigration


class Migration(PostgreSQLMigration):
    dependencies = [("notifications", "0032_content")]

    operations = [
        migrations.CreateModel(
            name="ShadowCopy",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("old_ms", models.FloatField()),
                ("old_error", models.CharField(default="", max_length=100)),
                ("new_ms", models.FloatField()),
                ("new_error", models.CharField(default="", max_length=100)),
                ("digests", models.JSONField(default=dict)),
                ("composed_at", models.DateTimeField(null=True)),
                ("differences", models.JSONField(default=list)),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["created_at"], name="shadowcopy_created_idx")],
            },
        ),
    ]
