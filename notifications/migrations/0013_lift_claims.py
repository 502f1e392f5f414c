from django.db import migrations, models

from notifications.migrations._postgresql import PostgreSQLMigration


class Migration(PostgreSQLMigration):
    dependencies = [("notifications", "0012_slowed_for")]

    operations = [
        migrations.AddField(
            model_name="suppression",
            name="lift_tries",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="suppression",
            name="lift_after",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
