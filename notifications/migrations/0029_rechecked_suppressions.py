"""An index for the addresses that are rechecked, and perhaps still on a provider's list."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

from notifications.migrations._postgresql import PostgreSQLMigration


class Migration(PostgreSQLMigration):
    # CREATE INDEX CONCURRENTLY: the list can be long, and email is sent meanwhile.
    atomic = False

    dependencies = [("notifications", "0028_fingerprint")]

    operations = [
        AddIndexConcurrently(
            model_name="suppression",
            index=models.Index(
                condition=models.Q(("lifted_at__isnull", True), ("provider_lift", ""), ("recheck_id__isnull", False)),
                fields=["rechecked_at"],
                name="suppression_to_recheck_idx",
            ),
        ),
    ]
