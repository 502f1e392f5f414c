from typing import Any

from django.db import migrations


def drop_constraint(apps: Any, schema_editor: Any) -> None:
    """Let the admin's log keep the id of a deleted account: accounts.admin_log_erasure."""
    entry = apps.get_model("admin", "LogEntry")
    for name in schema_editor._constraint_names(entry, ["user_id"], foreign_key=True):
        schema_editor.execute(schema_editor._delete_fk_sql(entry, name))


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_admin_list"),
        ("admin", "0003_logentry_add_action_flag_choices"),
    ]

    operations = [
        migrations.RunPython(drop_constraint, migrations.RunPython.noop),
    ]
