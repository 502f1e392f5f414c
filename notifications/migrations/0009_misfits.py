from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

from notifications.migrations._postgresql import PostgreSQLMigration


class Migration(PostgreSQLMigration):

    # The table is large; no row is in the index yet.
    atomic = False

    dependencies = [
        ('notifications', '0008_suppression_indexes'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='message',
            index=models.Index(condition=models.Q(('status', 'queued'), models.Q(('error_fingerprint', ''), _negated=True)), fields=['error_fingerprint', 'kind'], name='message_misfit_idx'),
        ),
    ]
