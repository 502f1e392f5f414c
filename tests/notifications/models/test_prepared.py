"""Statements are prepared in a session of the server, and nowhere else."""

import pytest
from django.db import DataError, NotSupportedError, connection, transaction

from notifications.models import prepared
from notifications.models.prepared import prepared_cursor

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = "SELECT name FROM test_prepared WHERE name = %s"


@pytest.fixture(autouse=True)
def new_session(monkeypatch):
    # Every table counts as large.
    monkeypatch.setattr(prepared, "SMALL_BYTES", 0)
    connection.close()
    yield
    connection.close()


def run(statement, *values):
    with prepared_cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def statements():
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement, generic_plans, custom_plans FROM pg_prepared_statements")
        return cursor.fetchall()


def test_statement_is_planned_once():
    assert [run("SELECT %s::int", number) for number in range(8)] == [[(number,)] for number in range(8)]
    assert statements() == [("SELECT $1::int", 8, 0)]


def test_other_statements_are_not_prepared():
    run("SELECT 1")
    for _ in range(8):
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s", [2])
    assert [text for text, _, _ in statements()] == ["SELECT 1"]


def test_nothing_is_prepared_for_a_small_table(monkeypatch):
    monkeypatch.setattr(prepared, "SMALL_BYTES", 2**40)
    assert run("SELECT %s::int", 1) == [(1,)]
    assert statements() == []


def test_nothing_is_prepared_where_another_session_answers(monkeypatch):
    connection.ensure_connection()
    info = type(connection.connection.info)
    monkeypatch.setattr(info, "backend_pid", property(lambda _: 1))
    assert run("SELECT %s::int", 1) == [(1,)]
    assert statements() == []
    assert run("SHOW plan_cache_mode") == [("auto",)]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu"])
@pytest.mark.parametrize(
    "time",
    ["2026-03-01 12:00:00", "2026-03-01 12:00:00.5", "2026-03-01 12:00:00.123456", "0001-01-01 00:00:00",
     "9999-12-31 12:00:00.999999", "1900-01-01 00:00:00"],
)  # fmt: skip
def test_times_are_those_of_django(time, zone):
    asked = f"SELECT set_config('TimeZone', '{zone}', false), '{time}+00'::timestamptz, NULL::timestamptz"
    with connection.cursor() as cursor:
        cursor.execute(asked)
        usual = cursor.fetchall()
    assert repr(run(asked)) == repr(usual)


@pytest.mark.parametrize("time", ["infinity", "10000-01-01", "0044-03-15 BC"])
def test_time_that_python_cannot_hold_is_an_error(time):
    with pytest.raises(DataError):
        run(f"SELECT '{time}'::timestamptz")


@pytest.fixture
def table():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE test_prepared AS SELECT 'a'::varchar(5) AS name")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE test_prepared")


def widen():
    # As a migration does, in another session.
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("ALTER TABLE test_prepared ALTER name TYPE varchar(9)")
    other.close()


@pytest.mark.usefixtures("table")
def test_statement_survives_a_migration_of_its_columns():
    for _ in range(2):
        assert run(NAMES, "a") == [("a",)]
        widen()


@pytest.mark.usefixtures("table")
def test_transaction_that_meets_a_migration_can_be_repeated():
    assert run(NAMES, "a") == [("a",)]
    widen()
    with pytest.raises(NotSupportedError), transaction.atomic():
        run(NAMES, "a")
    assert run(NAMES, "a") == [("a",)]
