from django.db import migrations, models

from notifications.migrations._postgresql import PostgreSQLMigration


class Migration(PostgreSQLMigration):
    dependencies = [("notifications", "0011_admin_lists")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="slowed_for",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=32),
        ),
    ]
