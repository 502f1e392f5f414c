"""Names: anonymized for forgotten, rechecked for probed.

The columns keep their earlier names: during an upgrade, processes of the release before read and write them.
"""

from django.db import migrations, models

from notifications.migrations._postgresql import PostgreSQLMigration


class RenameConstraint(migrations.RunSQL):
    """Django renames indexes, but not constraints."""

    def __init__(self, table: str, old: str, new: str) -> None:
        statement = "ALTER TABLE {} RENAME CONSTRAINT {} TO {}"
        super().__init__(statement.format(table, old, new), statement.format(table, new, old))


def rename_job(old: str, new: str) -> list[tuple[str, list[str]]]:
    table = "notifications_housekeepingjob"
    return [
        (f"DELETE FROM {table} WHERE name = %s AND EXISTS (SELECT FROM {table} WHERE name = %s)", [new, old]),
        (f"UPDATE {table} SET name = %s WHERE name = %s", [new, old]),
    ]


class Migration(PostgreSQLMigration):
    dependencies = [("notifications", "0018_address_and_time")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER INDEX message_forget_idx RENAME TO message_anonymize_idx",
                    "ALTER INDEX message_anonymize_idx RENAME TO message_forget_idx",
                ),
                RenameConstraint(
                    "notifications_message",
                    "notifications_message_address_until_forgotten",
                    "notifications_message_address_until_anonymized",
                ),
                migrations.RunSQL(
                    "ALTER INDEX suppression_probe_idx RENAME TO suppression_recheck_idx",
                    "ALTER INDEX suppression_recheck_idx RENAME TO suppression_probe_idx",
                ),
            ],
            state_operations=[
                migrations.RemoveIndex("message", "message_forget_idx"),
                migrations.RemoveConstraint("message", "notifications_message_address_until_forgotten"),
                migrations.RenameField("message", "forgotten_at", "anonymized_at"),
                migrations.AlterField(
                    "message",
                    "anonymized_at",
                    models.DateTimeField(null=True, blank=True, db_column="forgotten_at"),
                ),
                migrations.AddIndex(
                    "message",
                    models.Index(
                        fields=["created_at"],
                        condition=models.Q(user=None, anonymized_at=None),
                        name="message_anonymize_idx",
                    ),
                ),
                migrations.AddConstraint(
                    "message",
                    models.CheckConstraint(
                        condition=models.Q(anonymized_at__isnull=False, to_address="")
                        | models.Q(models.Q(anonymized_at=None), ~models.Q(to_address="")),
                        name="notifications_message_address_until_anonymized",
                    ),
                ),
                migrations.RemoveIndex("suppression", "suppression_probe_idx"),
                migrations.RenameField("suppression", "probe_id", "recheck_id"),
                migrations.AlterField(
                    "suppression",
                    "recheck_id",
                    models.UUIDField("recheck", null=True, blank=True, db_column="probe_id"),
                ),
                migrations.RenameField("suppression", "probed_at", "rechecked_at"),
                migrations.AlterField(
                    "suppression",
                    "rechecked_at",
                    models.DateTimeField(null=True, blank=True, db_column="probed_at"),
                ),
                migrations.AddIndex(
                    "suppression",
                    models.Index(
                        fields=["recheck_id"],
                        condition=models.Q(lifted_at__isnull=True, recheck_id__isnull=False),
                        name="suppression_recheck_idx",
                    ),
                ),
            ],
        ),
        # The row of when a job last ran moves to the job's new name. A beat of the other release may have written that
        # name already.
        migrations.RunSQL(rename_job("forget", "anonymize"), rename_job("anonymize", "forget")),
    ]
