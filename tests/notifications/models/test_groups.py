"""The groups of operators, as the migration creates them: on a new database, and beside those of a project."""

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db import connection

from notifications.migrations._groups import OPERATORS, VIEWERS, add_to_group
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
MIGRATION = import_module("notifications.migrations.0025_operators")
ACTIONS = {"resend_message", "replay_message", "settle_message", "cancel_message", "lift_suppression"}


class Editor:
    connection = connection


@pytest.fixture(autouse=True)
def _no_groups():
    Group.objects.all().delete()


def migrate():
    MIGRATION.keep_what_operators_may(apps, Editor)
    MIGRATION.create_groups(apps, Editor)


def codenames(holder):
    return set(holder.permissions.values_list("codename", flat=True))


def test_viewers_see_and_operators_act():
    migrate()
    viewers, operators = (codenames(Group.objects.get(name=name)) for name in (VIEWERS, OPERATORS))
    assert {codename.partition("_")[0] for codename in viewers} == {"view"}
    assert operators - viewers == ACTIONS | {"add_suppression"}
    assert viewers < operators


def test_groups_are_created_before_django_creates_permissions():
    Permission.objects.all().delete()
    migrate()
    given = codenames(Group.objects.get(name=OPERATORS))
    create_permissions(apps.get_app_config("notifications"), verbosity=0)
    assert codenames(Group.objects.get(name=OPERATORS)) == given
    found = Permission.objects.filter(content_type__app_label="notifications", codename__in=given)
    assert found.count() == len(given)
    # With the names that Django would give them.
    expected = {codename: name for codename, name in _declared() if codename in given}
    assert dict(found.values_list("codename", "name")) == expected


def _declared():
    for model in apps.get_app_config("notifications").get_models():
        yield from ((f"view_{model._meta.model_name}", f"Can view {model._meta.verbose_name_raw}"),)
        yield from ((f"add_{model._meta.model_name}", f"Can add {model._meta.verbose_name_raw}"),)
        yield from model._meta.permissions


def test_second_run_changes_nothing():
    migrate()
    before = {group.name: codenames(group) for group in Group.objects.all()}
    migrate()
    assert {group.name: codenames(group) for group in Group.objects.all()} == before


def test_group_of_a_project_with_the_same_name_keeps_its_permissions():
    Group.objects.create(name=OPERATORS)
    migrate()
    assert codenames(Group.objects.get(name=OPERATORS)) == set()


@pytest.mark.parametrize("name", [VIEWERS, OPERATORS])
def test_later_permission_goes_to_a_group_that_still_exists(name):
    migrate()
    permission = Permission.objects.get(codename="add_message")
    add_to_group(apps, "default", name, [permission])
    assert "add_message" in codenames(Group.objects.get(name=name))
    Group.objects.filter(name=name).update(name="renamed")
    add_to_group(apps, "default", name, [permission])
    assert Group.objects.count() == 2


def test_staff_that_could_replay_and_settle_still_can():
    resend = Permission.objects.get(codename="resend_message")
    group = Group.objects.create(name="support")
    group.permissions.add(resend)
    user, other = UserFactory(is_staff=True), UserFactory(is_staff=True)
    user.user_permissions.add(resend)
    migrate()
    expected = {"resend_message", "replay_message", "settle_message"}
    assert codenames(group) == expected
    assert set(user.user_permissions.values_list("codename", flat=True)) == expected
    assert not other.user_permissions.exists()
