"""Renaming rewrites no table, and keeps every column for processes of the release before."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

BEFORE, AFTER = ("notifications", "0018_address_and_time"), ("notifications", "0019_names")
THEN = datetime(2026, 1, 1, tzinfo=UTC)


def _migrate(to):
    executor = MigrationExecutor(connection)
    executor.migrate([to])
    return executor.loader.project_state([to]).apps


def _rows(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def _files():
    tables = ["notifications_message", "notifications_suppression", "message_created_idx"]
    return _rows("SELECT relname, relfilenode FROM pg_class WHERE relname = ANY(%s) ORDER BY 1", tables)


@pytest.fixture
def _put_back():
    yield
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


@pytest.mark.usefixtures("_put_back")
def test_names_change_and_rows_and_files_stay():
    apps, files, probe = _migrate(BEFORE), _files(), uuid4()
    message = apps.get_model("notifications", "Message").objects.create(
        kind="welcome", stream="default", to_address="", idempotency_key="a fact", forgotten_at=THEN
    )
    apps.get_model("notifications", "Suppression").objects.create(
        address="ada@example.com", reason="soft bounces", probe_id=probe, probed_at=THEN
    )
    apps.get_model("notifications", "HousekeepingJob").objects.create(name="forget", done_at=THEN)

    apps = _migrate(AFTER)
    assert apps.get_model("notifications", "Message").objects.get(id=message.id).anonymized_at == THEN
    suppression = apps.get_model("notifications", "Suppression").objects.get()
    assert (suppression.recheck_id, suppression.rechecked_at) == (probe, THEN)
    assert _rows("SELECT name, done_at FROM notifications_housekeepingjob") == [("anonymize", THEN)]
    assert _files() == files

    # A beat of the release before is still running.
    apps.get_model("notifications", "HousekeepingJob").objects.create(name="forget")
    apps = _migrate(BEFORE)
    assert apps.get_model("notifications", "Suppression").objects.get().probed_at == THEN
    assert _rows("SELECT name, done_at FROM notifications_housekeepingjob") == [("forget", THEN)]
    assert _files() == files
