"""A project of years ago, with another kind of database beside the default one and the old kind of keys."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from config.environment import BASE_DIR
from notifications import migrations
from notifications.migrations._postgresql import PostgreSQLMigration

SETUP = """
from django.conf import settings
settings.configure(
    INSTALLED_APPS=[*(f"django.contrib.{name}" for name in ("admin", "auth", "contenttypes")), "notifications"],
    DATABASES={
        "default": {"ENGINE": "django.db.backends.postgresql", "NAME": "shop", "HOST": "127.0.0.1", "PORT": 1},
        "legacy": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
    },
)
import django
django.setup()
from django.core.management import call_command
from django.db import connections
"""
# What the test runner does with each database.
MIGRATE = """
call_command("migrate", database="legacy", verbosity=0)
print(*(name for name in connections["legacy"].introspection.table_names() if name.startswith("notifications")))
connections["legacy"].creation.serialize_db_to_string()
call_command("migrate", "notifications", "zero", database="legacy", verbosity=0)
"""
COMPARE = """
call_command("makemigrations", "notifications", check_changes=True, dry_run=True)
"""


def run(script):
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(BASE_DIR)}
    command = [sys.executable, "-W", "ignore", "-c", SETUP + script]
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_other_kind_of_database_gets_no_tables_and_no_errors():
    assert run(MIGRATE) == ""


def test_project_without_a_default_for_keys_needs_no_migration_of_the_engine():
    assert "No changes" in run(COMPARE)


@pytest.mark.parametrize("path", sorted(Path(migrations.__path__[0]).glob("0*.py")), ids=lambda path: path.stem)
def test_each_migration_is_for_postgresql_only(path):
    assert issubclass(import_module(f"notifications.migrations.{path.stem}").Migration, PostgreSQLMigration)
