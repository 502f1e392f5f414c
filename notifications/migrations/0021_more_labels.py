"""More labels for people. The database does not know them: no statement is run."""

import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from notifications.migrations._postgresql import PostgreSQLMigration


class Migration(PostgreSQLMigration):
    dependencies = [
        ("notifications", "0020_labels"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="message",
            name="anonymized_at",
            field=models.DateTimeField(blank=True, db_column="forgotten_at", null=True, verbose_name="anonymized at"),
        ),
        migrations.AlterField(
            model_name="message",
            name="attempts",
            field=models.PositiveSmallIntegerField(default=0, verbose_name="attempts"),
        ),
        migrations.AlterField(
            model_name="message",
            name="claims_lost",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="claims lost"),
        ),
        migrations.AlterField(
            model_name="message",
            name="context",
            field=models.JSONField(blank=True, default=dict, verbose_name="context"),
        ),
        migrations.AlterField(
            model_name="message",
            name="created_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name="created at"
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="died_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="dead since"),
        ),
        migrations.AlterField(
            model_name="message",
            name="due_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="due at"),
        ),
        migrations.AlterField(
            model_name="message",
            name="error_fingerprint",
            field=models.CharField(blank=True, db_default="", default="", max_length=150, verbose_name="error"),
        ),
        migrations.AlterField(
            model_name="message",
            name="expires_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="expires at"),
        ),
        migrations.AlterField(
            model_name="message",
            name="handed_over_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="handed over at"),
        ),
        migrations.AlterField(
            model_name="message",
            name="id",
            field=models.UUIDField(
                default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="ID"
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="idempotency_key",
            field=models.CharField(max_length=500, verbose_name="idempotency key"),
        ),
        migrations.AlterField(
            model_name="message",
            name="kind",
            field=models.CharField(max_length=64, verbose_name="kind"),
        ),
        migrations.AlterField(
            model_name="message",
            name="lease_token",
            field=models.UUIDField(blank=True, null=True, verbose_name="lease"),
        ),
        migrations.AlterField(
            model_name="message",
            name="lease_until",
            field=models.DateTimeField(blank=True, null=True, verbose_name="lease until"),
        ),
        migrations.AlterField(
            model_name="message",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("unknown", "Unknown"),
                    ("deferred", "Deferred"),
                    ("delivered", "Delivered"),
                    ("bounced", "Bounced"),
                    ("complained", "Complained"),
                    ("rejected", "Rejected"),
                ],
                db_default="unknown",
                default="unknown",
                max_length=16,
                verbose_name="outcome",
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="outcome_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="outcome at"),
        ),
        migrations.AlterField(
            model_name="message",
            name="provider",
            field=models.CharField(blank=True, default="", max_length=32, verbose_name="provider"),
        ),
        migrations.AlterField(
            model_name="message",
            name="relay_after",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), verbose_name="published after"
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="relayed",
            field=models.PositiveSmallIntegerField(default=0, verbose_name="times published"),
        ),
        migrations.AlterField(
            model_name="message",
            name="replays",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="replays"),
        ),
        migrations.AlterField(
            model_name="message",
            name="resend_of",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="resends",
                to="notifications.message",
                verbose_name="resend of",
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="sent_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="sent at"),
        ),
        migrations.AlterField(
            model_name="message",
            name="settle_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="settles at"),
        ),
        migrations.AlterField(
            model_name="message",
            name="slowed_until",
            field=models.DateTimeField(blank=True, null=True, verbose_name="held by the bounce brake until"),
        ),
        migrations.AlterField(
            model_name="message",
            name="status",
            field=models.CharField(
                choices=[
                    ("queued", "Queued"),
                    ("sending", "Sending"),
                    ("sent", "Sent"),
                    ("uncertain", "Uncertain"),
                    ("suppressed", "Suppressed"),
                    ("expired", "Expired"),
                    ("cancelled", "Cancelled"),
                    ("dead", "Dead"),
                ],
                default="queued",
                max_length=16,
                verbose_name="status",
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="status_reason",
            field=models.CharField(blank=True, default="", max_length=200, verbose_name="reason"),
        ),
        migrations.AlterField(
            model_name="message",
            name="stream",
            field=models.CharField(
                choices=[("critical", "Critical"), ("default", "Default"), ("bulk", "Bulk")],
                max_length=16,
                verbose_name="stream",
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="to_address",
            field=models.CharField(max_length=320, verbose_name="recipient"),
        ),
        migrations.AlterField(
            model_name="message",
            name="uncertain_resends",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="resends while uncertain"),
        ),
        migrations.AlterField(
            model_name="message",
            name="user",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="messages",
                to=settings.AUTH_USER_MODEL,
                verbose_name="account",
            ),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="address",
            field=models.CharField(max_length=320, verbose_name="address"),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="created_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name="suppressed at"
            ),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="detail",
            field=models.CharField(blank=True, default="", max_length=300, verbose_name="details"),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="event",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="notifications.providerevent",
                verbose_name="provider event",
            ),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="lift_reason",
            field=models.CharField(blank=True, default="", max_length=300, verbose_name="reason for lifting"),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="lifted_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="lifted at"),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="lifted_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="lifted by",
            ),
        ),
    ]
