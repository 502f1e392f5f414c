"""Names: anonymized for forgotten, rechecked for probed. Renames only: no table is rewritten."""

from django.db import migrations, models


class RenameConstraint(migrations.RunSQL):
    """Django renames indexes, but not constraints."""

    def __init__(self, table: str, old: str, new: str) -> None:
        statement = "ALTER TABLE {} RENAME CONSTRAINT {} TO {}"
        super().__init__(statement.format(table, old, new), statement.format(table, new, old))


class Migration(migrations.Migration):
    dependencies = [("notifications", "0018_address_and_time")]

    operations = [
        migrations.SeparateDatabaseAndState(
            # PostgreSQL follows a column's new name in indexes and constraints by itself; Django's state does not.
            database_operations=[
                migrations.RenameField("message", "forgotten_at", "anonymized_at"),
                migrations.RunSQL(
                    "ALTER INDEX message_forget_idx RENAME TO message_anonymize_idx",
                    "ALTER INDEX message_anonymize_idx RENAME TO message_forget_idx",
                ),
                RenameConstraint(
                    "notifications_message",
                    "notifications_message_address_until_forgotten",
                    "notifications_message_address_until_anonymized",
                ),
                migrations.RenameField("suppression", "probe_id", "recheck_id"),
                migrations.RenameField("suppression", "probed_at", "rechecked_at"),
                migrations.RunSQL(
                    "ALTER INDEX suppression_probe_idx RENAME TO suppression_recheck_idx",
                    "ALTER INDEX suppression_recheck_idx RENAME TO suppression_probe_idx",
                ),
            ],
            state_operations=[
                migrations.RemoveIndex("message", "message_forget_idx"),
                migrations.RemoveConstraint("message", "notifications_message_address_until_forgotten"),
                migrations.RenameField("message", "forgotten_at", "anonymized_at"),
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
                    "suppression", "recheck_id", models.UUIDField("recheck", null=True, blank=True)
                ),
                migrations.RenameField("suppression", "probed_at", "rechecked_at"),
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
        # The memory of when a job was last done keeps its place under the job's new name.
        migrations.RunSQL(
            "UPDATE notifications_housekeepingjob SET name = 'anonymize' WHERE name = 'forget'",
            "UPDATE notifications_housekeepingjob SET name = 'forget' WHERE name = 'anonymize'",
        ),
    ]
