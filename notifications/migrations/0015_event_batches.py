import django.db.models.functions.datetime
from django.db import migrations, models

from notifications.migrations._postgresql import PostgreSQLMigration


class Migration(PostgreSQLMigration):
    dependencies = [("notifications", "0014_process_started_at")]

    operations = [
        migrations.CreateModel(
            name="EventBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=32)),
                ("events", models.JSONField()),
                (
                    "received_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), db_index=True, editable=False
                    ),
                ),
            ],
        ),
    ]
