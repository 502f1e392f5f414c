"""A permission for each action, and the groups "Email viewers" and "Email operators"."""

from typing import Any

from django.conf import settings
from django.db import migrations

from notifications.migrations._postgresql import PostgreSQLMigration
from notifications.migrations._groups import OPERATORS, VIEWERS, create_group, permissions

VIEW = {
    "message": {"view_message": "Can view message"},
    "deliveryattempt": {"view_deliveryattempt": "Can view delivery attempt"},
    "providerevent": {"view_providerevent": "Can view provider event"},
    "suppression": {"view_suppression": "Can view suppression"},
}
RESEND = {"message": {"resend_message": "Can resend messages"}}
# Until now, the permission to resend included these.
INCLUDED = {
    "message": {
        "replay_message": "Can replay dead letters",
        "settle_message": "Can settle uncertain messages",
    }
}
OTHERS = {
    "message": {"cancel_message": "Can cancel messages"},
    "suppression": {"add_suppression": "Can add suppression", "lift_suppression": "Can lift suppressions"},
}


def create_groups(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    view, resend, included, others = (
        permissions(apps, alias, wanted) for wanted in (VIEW, RESEND, INCLUDED, OTHERS)
    )
    create_group(apps, alias, VIEWERS, view)
    create_group(apps, alias, OPERATORS, [*view, *resend, *included, *others])


def keep_what_operators_may(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    resend, included = permissions(apps, alias, RESEND), permissions(apps, alias, INCLUDED)
    for group in apps.get_model("auth", "Group").objects.using(alias).filter(permissions__in=resend):
        group.permissions.add(*included)
    # A project's user model may have no permissions.
    user_model = apps.get_model(settings.AUTH_USER_MODEL)
    if hasattr(user_model, "user_permissions"):
        for user in user_model._base_manager.using(alias).filter(user_permissions__in=resend):
            user.user_permissions.add(*included)


class Migration(PostgreSQLMigration):
    dependencies = [
        ("notifications", "0024_hourly_counts"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="message",
            options={
                "ordering": ["-created_at"],
                "permissions": [
                    ("resend_message", "Can resend messages"),
                    ("replay_message", "Can replay dead letters"),
                    ("settle_message", "Can settle uncertain messages"),
                    ("cancel_message", "Can cancel messages"),
                ],
                "verbose_name": "message",
                "verbose_name_plural": "messages",
            },
        ),
        # First: the operators' group is none of those that got the permission from a project.
        migrations.RunPython(keep_what_operators_may, migrations.RunPython.noop),
        migrations.RunPython(create_groups, migrations.RunPython.noop),
    ]
