"""Indexes for the questions that each batch of provider events asks of the suppressions."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

from notifications.migrations._postgresql import PostgreSQLMigration


class Migration(PostgreSQLMigration):
    # CREATE INDEX CONCURRENTLY: the list can be long, and email is sent meanwhile.
    atomic = False

    dependencies = [("notifications", "0007_housekeeping")]

    operations = [
        AddIndexConcurrently(
            model_name="suppression",
            index=models.Index(
                condition=models.Q(("lifted_at__isnull", False)),
                fields=["address", "reason", "lifted_at"],
                name="suppression_lifted_idx",
            ),
        ),
        AddIndexConcurrently(
            model_name="suppression",
            index=models.Index(
                condition=models.Q(("lifted_at__isnull", True), ("probe_id__isnull", False)),
                fields=["probe_id"],
                name="suppression_probe_idx",
            ),
        ),
    ]
