"""Migrations run forwards and backwards: of a filled database, of an empty one, and of the engine alone."""

import json
import re
import subprocess
import sys
from importlib import import_module

import pytest
from django.core.management import call_command
from django.db import ProgrammingError, connection
from django.db.migrations.executor import MigrationExecutor

from config.environment import BASE_DIR
from tests.upgrade.databases import columns, filled_database, new_database, rows_of, schema, snapshot

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

# Django writes into these when it migrates.
DJANGO_WRITES = {"django_migrations", "django_content_type", "auth_permission"}
# The engine adds its groups, and permissions to groups; neither goes back.
GROWS = {"auth_group", "auth_group_permissions"}
ENGINE_ALONE = """
import json, sys, django
from django.conf import settings
from django.core.management import call_command
from django.db import connection

apps = ["admin", "auth", "contenttypes", "messages", "sessions"]
settings.configure(
    SECRET_KEY="of a project without accounts, and long enough for every check of Django",
    INSTALLED_APPS=[*(f"django.contrib.{app}" for app in apps), "notifications"],
    DATABASES={"default": json.loads(sys.argv[1])},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
)
django.setup()
for target in ([], ["notifications", "zero"], []):
    call_command("migrate", *target, verbosity=0)
    print(sum(name.startswith("notifications_") for name in connection.introspection.table_names()))
call_command("makemigrations", "--check", "--dry-run", verbosity=0)
"""


@pytest.fixture(autouse=True)
def _unblocked(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        yield


def migrated(table, row):
    """Return a row as the migrations of this release leave it."""
    if table == "notifications_housekeepingjob" and row["name"] == "forget":
        return row | {"name": "anonymize"}
    if table == "accounts_user":
        wants_news = row["wants_news"] and row["email"] not in {"left@example.com", "complained@example.com"}
        return row | {"wants_news": wants_news, "news_decided_at": row["date_joined"] if wants_news else None}
    if table == "notifications_message":
        return row | {"has_content": False, "send_at": None}
    if table == "notifications_deliveryattempt":
        return row | {"fingerprint": ""}
    return row


def in_order(rows):
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


def has_kept(table, before, after):
    expected, found = in_order(migrated(table, row) for row in before), in_order(after)
    return set(expected) <= set(found) if table in GROWS else expected == found


def leaves(app_labels):
    """Return the last migration of each app that the database has."""
    loader = MigrationExecutor(connection).loader
    applied = loader.applied_migrations.keys()
    return [
        node
        for node in applied
        if node[0] in app_labels
        and not any(child.key in applied and child.key[0] == node[0] for child in loader.graph.node_map[node].children)
    ]


def test_filled_database_keeps_every_row_forwards_and_backwards():
    with filled_database():
        before, last = snapshot(), leaves({"accounts", "notifications"})
        assert len(last) == 2
        for _ in range(2):
            call_command("migrate", verbosity=0)
            after = snapshot()
            for table in before.keys() - DJANGO_WRITES:
                assert has_kept(table, before[table], after[table]), table
            for app, name in last:
                call_command("migrate", app, name, verbosity=0)
            assert leaves({"accounts", "notifications"}) == last


def test_keys_stay_unique_if_the_exchange_of_their_index_fails():
    _, _, *exchange = import_module("notifications.migrations.0030_search")._BY_BYTES
    with new_database():
        call_command("migrate", "notifications", "0029", verbosity=0)
        before = schema()
        # There is no new index.
        with pytest.raises(ProgrammingError):
            execute_all(exchange)
        assert schema() == before


def test_events_always_have_an_index_by_message():
    """The relay, the webhook and the pages go on while it is exchanged."""
    index = r"CREATE INDEX \w+ ON public\.notifications_providerevent USING btree \(message_id\)"
    operations = import_module("notifications.migrations.0034_events_of_messages").Migration.operations
    with new_database():
        call_command("migrate", "notifications", "0033", verbosity=0)
        executor = MigrationExecutor(connection)
        state = executor.loader.project_state([("notifications", "0033_shadow_copies")])
        for operation in operations:
            before, state = state, state.clone()
            operation.state_forwards("notifications", state)
            with connection.schema_editor(atomic=False) as editor:
                operation.database_forwards("notifications", editor, before, state)
            assert any(re.match(index, line) for (line,) in rows_of("SELECT indexdef FROM pg_indexes"))


def execute_all(statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def test_release_before_can_use_the_migrated_tables():
    """During an upgrade its processes go on: docs/how-to/upgrade.md."""
    with filled_database():
        before = columns()
        call_command("migrate", verbosity=0)
        after = columns()
    assert before.items() <= after.items()
    # It does not write to a new column, so each has to be optional.
    tables = {table for table, _ in before}
    new = {name: description for name, description in after.items() if name[0] in tables and name not in before}
    assert all(is_optional for _, _, is_optional in new.values())


def test_filled_database_gets_the_schema_of_a_new_one():
    expected = schema()
    with filled_database():
        call_command("migrate", verbosity=0)
        assert schema() == expected


def test_empty_database_loses_the_engine_and_nothing_else():
    with new_database():
        call_command("migrate", verbosity=0)
        filled = schema()
        call_command("migrate", "notifications", "zero", verbosity=0)
        tables = {name for (name,) in rows_of("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
        assert "accounts_user" in tables
        assert not [name for name in tables if name.startswith("notifications_")]
        call_command("migrate", verbosity=0)
        call_command("makemigrations", "--check", "--dry-run", verbosity=0)
        assert schema() == filled


def test_engine_migrates_without_accounts():
    with new_database():
        names = ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT")
        database = {name: connection.settings_dict[name] for name in names}
        command = [sys.executable, "-c", ENGINE_ALONE, json.dumps(database)]
        done = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        made, left, made_again = map(int, done.stdout.split())
        assert made == made_again > left == 0
