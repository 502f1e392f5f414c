"""How often a message was sent again in doubt, instead of whether it was."""

from django.db import migrations, models

from notifications.migrations._postgresql import PostgreSQLMigration


class Migration(PostgreSQLMigration):
    dependencies = [("notifications", "0004_proxies")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="uncertain_resends",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.RunSQL(
            "UPDATE notifications_message SET uncertain_resends = 1 WHERE resent_uncertain", migrations.RunSQL.noop
        ),
        migrations.RemoveField(model_name="message", name="resent_uncertain"),
    ]
