"""Nothing. It once changed the users of one site, which accounts.0008 does now; its number stays taken."""

from django.db import migrations

from notifications.migrations._postgresql import PostgreSQLMigration


class Migration(PostgreSQLMigration):
    dependencies = [("notifications", "0015_event_batches")]

    operations = []
