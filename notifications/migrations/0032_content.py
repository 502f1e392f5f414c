"""Stored content, and the time for which a message is scheduled."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from notifications.migrations._postgresql import PostgreSQLMigration


class Migration(PostgreSQLMigration):
    dependencies = [("notifications", "0031_changes")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="has_content",
            field=models.BooleanField(db_default=False, default=False, verbose_name="has stored content"),
        ),
        migrations.AddField(
            model_name="message",
            name="send_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="scheduled for"),
        ),
        migrations.CreateModel(
            name="MessageContent",
            fields=[
                (
                    "message",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="stored_content",
                        serialize=False,
                        to="notifications.message",
                        verbose_name="message",
                    ),
                ),
                ("packed", models.BinaryField(null=True)),
                ("further", models.JSONField(default=list)),
                ("left_out", models.JSONField(default=list)),
                ("digest", models.CharField(max_length=64)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
            ],
            options={
                "verbose_name": "stored content",
                "verbose_name_plural": "stored contents",
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("packed__isnull", False)),
                        fields=["created_at"],
                        name="messagecontent_stored_idx",
                    )
                ],
            },
        ),
    ]
