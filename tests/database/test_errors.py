import logging

import psycopg
import pytest
from django.db import DataError, Error, InterfaceError, InternalError, OperationalError, ProgrammingError

from config.logs import OUTAGE, DatabaseInOneLine
from notifications.runtime.database import DatabaseUnavailableError, error_name, is_outage, raise_outage


def django_error(sqlstate):
    """Return Django's error for a server's code."""
    kind = psycopg.errors.lookup(sqlstate)
    django = {
        psycopg.OperationalError: OperationalError,
        psycopg.InternalError: InternalError,
        psycopg.ProgrammingError: ProgrammingError,
        psycopg.DataError: DataError,
    }
    error = next(ours for theirs, ours in django.items() if issubclass(kind, theirs))("a secret")
    error.__cause__ = kind("a secret")
    return error


@pytest.mark.parametrize(
    "sqlstate",
    [
        *("08006", "25006", "25P03", "40001", "40P01", "53100", "53200", "53300", "55P03"),
        *("57014", "57P01", "57P02", "57P03", "58030"),
    ],
)
def test_error_that_passes_is_an_outage(sqlstate):
    assert is_outage(django_error(sqlstate))


@pytest.mark.parametrize("sqlstate", ["22001", "25P02", "42601", "42P01", "42501", "54000", "XX001"])
def test_programming_error_is_not_an_outage(sqlstate):
    assert not is_outage(django_error(sqlstate))


@pytest.mark.parametrize("error", [OperationalError("refused"), InterfaceError("the connection is closed")])
def test_lost_connection_is_an_outage(error):
    assert is_outage(error)


@pytest.mark.parametrize("error", [None, ValueError(), OSError(), InternalError(), Error()])
def test_other_error_is_not_an_outage(error):
    assert not is_outage(error)


def test_error_name_holds_nothing_of_the_text():
    assert error_name(django_error("53100")) == "DiskFull"
    assert error_name(OperationalError("a secret")) == "OperationalError"


def test_translated_error_keeps_only_the_name():
    with pytest.raises(DatabaseUnavailableError) as raised, raise_outage():
        raise django_error("25006")
    assert str(raised.value) == "ReadOnlySqlTransaction"
    assert raised.value.__suppress_context__


@pytest.mark.parametrize(("sqlstate", "in_one_line"), [("57P01", True), ("42P01", False)])
def test_outage_is_logged_in_one_line(sqlstate, in_one_line):
    error = django_error(sqlstate)
    record = logging.LogRecord("x", 40, "x", 1, "%s: %s", ("Down", "/sign-up/"), (type(error), error, None))
    assert DatabaseInOneLine().filter(record)
    text = logging.Formatter("%(message)s").format(record)
    assert text.startswith("Down: /sign-up/")
    assert (text == OUTAGE.format(line="Down: /sign-up/", error="AdminShutdown")) is in_one_line
    assert ("secret" in text) is not in_one_line
