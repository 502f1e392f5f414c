"""The fingerprint of what each attempt sent. Empty for attempts by the release before."""

from django.db import migrations, models

from notifications.migrations._postgresql import PostgreSQLMigration


class Migration(PostgreSQLMigration):
    dependencies = [("notifications", "0027_pauses")]

    operations = [
        migrations.AddField(
            model_name="deliveryattempt",
            name="fingerprint",
            field=models.CharField(blank=True, db_default="", default="", max_length=64, verbose_name="fingerprint"),
        ),
    ]
