"""Permissions and groups for migrations. Django creates permissions only after all migrations have run."""

from collections.abc import Iterable, Mapping
from typing import Any

VIEWERS = "Email viewers"
OPERATORS = "Email operators"

# By model: codenames, each with the name that the model declares.
Permissions = Mapping[str, Mapping[str, str]]


def permissions(apps: Any, alias: str, wanted: Permissions) -> list[Any]:
    """Return permissions of the engine's models; create those that Django has not created yet."""
    types = apps.get_model("contenttypes", "ContentType").objects.using(alias)
    all_permissions = apps.get_model("auth", "Permission").objects.using(alias)
    found = []
    for model, names in wanted.items():
        content_type, _ = types.get_or_create(app_label="notifications", model=model)
        for codename, name in names.items():
            permission, _ = all_permissions.get_or_create(
                content_type=content_type, codename=codename, defaults={"name": name}
            )
            found.append(permission)
    return found


def create_group(apps: Any, alias: str, name: str, given: Iterable[Any]) -> None:
    # A group that exists belongs to the project, or to an earlier run.
    group, is_new = apps.get_model("auth", "Group").objects.using(alias).get_or_create(name=name)
    if is_new:
        group.permissions.add(*given)


def add_to_group(apps: Any, alias: str, name: str, given: Iterable[Any]) -> None:
    # A project may have renamed or deleted the group, and keeps its decision.
    for group in apps.get_model("auth", "Group").objects.using(alias).filter(name=name):
        group.permissions.add(*given)
