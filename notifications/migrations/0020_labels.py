"""Labels for people. The database does not know them: no statement is run."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from notifications.migrations._postgresql import PostgreSQLMigration


class Migration(PostgreSQLMigration):
    dependencies = [
        ("notifications", "0019_names"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="deadletter",
            options={
                "default_permissions": (),
                "ordering": ["-died_at"],
                "verbose_name": "dead letter",
                "verbose_name_plural": "dead letters",
            },
        ),
        migrations.AlterModelOptions(
            name="deliveryattempt",
            options={
                "ordering": ["message", "number"],
                "verbose_name": "delivery attempt",
                "verbose_name_plural": "delivery attempts",
            },
        ),
        migrations.AlterModelOptions(
            name="message",
            options={
                "ordering": ["-created_at"],
                "permissions": [("resend_message", "Can resend messages")],
                "verbose_name": "message",
                "verbose_name_plural": "messages",
            },
        ),
        migrations.AlterModelOptions(
            name="providerevent",
            options={
                "ordering": ["-received_at", "-id"],
                "verbose_name": "provider event",
                "verbose_name_plural": "provider events",
            },
        ),
        migrations.AlterModelOptions(
            name="suppression",
            options={
                "ordering": ["-created_at"],
                "permissions": [("lift_suppression", "Can lift suppressions")],
                "verbose_name": "suppression",
                "verbose_name_plural": "suppressions",
            },
        ),
        migrations.AlterModelOptions(
            name="uncertainmessage",
            options={
                "default_permissions": (),
                "ordering": ["-created_at"],
                "verbose_name": "uncertain message",
                "verbose_name_plural": "uncertain messages",
            },
        ),
        migrations.AlterField(
            model_name="deliveryattempt",
            name="duration_ms",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="duration in ms"),
        ),
        migrations.AlterField(
            model_name="deliveryattempt",
            name="error",
            field=models.CharField(blank=True, default="", max_length=300, verbose_name="error"),
        ),
        migrations.AlterField(
            model_name="deliveryattempt",
            name="error_code",
            field=models.CharField(blank=True, default="", max_length=100, verbose_name="error code"),
        ),
        migrations.AlterField(
            model_name="deliveryattempt",
            name="message",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="delivery_attempts",
                to="notifications.message",
                verbose_name="message",
            ),
        ),
        migrations.AlterField(
            model_name="deliveryattempt",
            name="number",
            field=models.PositiveSmallIntegerField(verbose_name="number"),
        ),
        migrations.AlterField(
            model_name="deliveryattempt",
            name="provider",
            field=models.CharField(max_length=32, verbose_name="provider"),
        ),
        migrations.AlterField(
            model_name="deliveryattempt",
            name="provider_message_id",
            field=models.CharField(blank=True, default="", max_length=200, verbose_name="provider's message id"),
        ),
        migrations.AlterField(
            model_name="deliveryattempt",
            name="recorded_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), verbose_name="recorded at"
            ),
        ),
        migrations.AlterField(
            model_name="deliveryattempt",
            name="result",
            field=models.CharField(
                choices=[
                    ("accepted", "Accepted"),
                    ("transient", "Temporary error"),
                    ("rate-limited", "Rate limited"),
                    ("permanent", "Rejected"),
                    ("misconfigured", "Account refused"),
                    ("ambiguous", "No clear answer"),
                ],
                max_length=16,
                verbose_name="result",
            ),
        ),
        migrations.AlterField(
            model_name="deliveryattempt",
            name="task_id",
            field=models.CharField(blank=True, default="", max_length=191, verbose_name="Celery task"),
        ),
        migrations.AlterField(
            model_name="deliveryattempt",
            name="worker",
            field=models.CharField(blank=True, default="", max_length=200, verbose_name="worker"),
        ),
        migrations.AlterField(
            model_name="providerevent",
            name="attempt",
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="attempt"),
        ),
        migrations.AlterField(
            model_name="providerevent",
            name="bounce",
            field=models.CharField(
                blank=True,
                choices=[("hard", "Hard"), ("soft", "Soft"), ("blocked", "Blocked"), ("auto-reply", "Auto-reply")],
                default="",
                max_length=16,
                verbose_name="bounce type",
            ),
        ),
        migrations.AlterField(
            model_name="providerevent",
            name="detail",
            field=models.CharField(blank=True, default="", max_length=300, verbose_name="details"),
        ),
        migrations.AlterField(
            model_name="providerevent",
            name="event_id",
            field=models.CharField(max_length=200, verbose_name="event id"),
        ),
        migrations.AlterField(
            model_name="providerevent",
            name="kind",
            field=models.CharField(
                blank=True,
                choices=[
                    ("accepted", "Accepted"),
                    ("deferred", "Deferred"),
                    ("delivered", "Delivered"),
                    ("bounced", "Bounced"),
                    ("complained", "Complained"),
                    ("not spam", "Not spam"),
                    ("rejected", "Rejected"),
                    ("unsubscribed", "Unsubscribed"),
                ],
                default="",
                max_length=16,
                verbose_name="event",
            ),
        ),
        migrations.AlterField(
            model_name="providerevent",
            name="message",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="events",
                to="notifications.message",
                verbose_name="message",
            ),
        ),
        migrations.AlterField(
            model_name="providerevent",
            name="occurred_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="occurred at"),
        ),
        migrations.AlterField(
            model_name="providerevent",
            name="payload",
            field=models.JSONField(verbose_name="payload"),
        ),
        migrations.AlterField(
            model_name="providerevent",
            name="provider",
            field=models.CharField(max_length=32, verbose_name="provider"),
        ),
        migrations.AlterField(
            model_name="providerevent",
            name="provider_message_id",
            field=models.CharField(blank=True, default="", max_length=200, verbose_name="provider's message id"),
        ),
        migrations.AlterField(
            model_name="providerevent",
            name="read_after",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), verbose_name="processed after"
            ),
        ),
        migrations.AlterField(
            model_name="providerevent",
            name="received_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name="received at"
            ),
        ),
        migrations.AlterField(
            model_name="providerevent",
            name="recipient",
            field=models.CharField(blank=True, default="", max_length=320, verbose_name="recipient"),
        ),
        migrations.AlterField(
            model_name="providerevent",
            name="state",
            field=models.CharField(
                choices=[
                    ("stored", "Stored"),
                    ("parked", "Parked"),
                    ("applied", "Applied"),
                    ("foreign", "Foreign"),
                    ("unreadable", "Unreadable"),
                ],
                default="stored",
                max_length=16,
                verbose_name="processing state",
            ),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="provider",
            field=models.CharField(blank=True, default="", max_length=32, verbose_name="provider"),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="provider_lift",
            field=models.CharField(blank=True, default="", max_length=300, verbose_name="removal at the provider"),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="reason",
            field=models.CharField(
                choices=[
                    ("hard bounce", "Hard bounce"),
                    ("complaint", "Complaint"),
                    ("soft bounces", "Soft bounces"),
                    ("unsubscribed", "Unsubscribed"),
                    ("by hand", "By hand"),
                ],
                max_length=16,
                verbose_name="reason",
            ),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="rechecked_at",
            field=models.DateTimeField(blank=True, db_column="probed_at", null=True, verbose_name="rechecked at"),
        ),
    ]
