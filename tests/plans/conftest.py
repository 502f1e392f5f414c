"""Fills the tables once for all plan tests of a process; each test runs in a transaction that is rolled back."""

from itertools import islice

import pytest
from django.contrib.admin.templatetags import admin_list

from notifications.admin import large_lists
from notifications.models import transactions
from notifications.operations import message_search
from tests.plans import filled


@pytest.fixture(scope="package")
def large_tables(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        filled.fill()
        yield
        filled.empty()


@pytest.fixture(autouse=True)
def short_lists(monkeypatch):
    """Limit lists as the tables of these tests are limited."""
    monkeypatch.setattr(large_lists, "NEWEST", 1_000)
    monkeypatch.setattr(large_lists, "FOUND", 200)
    monkeypatch.setattr(message_search, "MOST_READ", 1_000)
    monkeypatch.setattr(message_search, "MOST_FOUND", 200)


@pytest.fixture(autouse=True)
def few_rows_shown(monkeypatch):
    """Show the first rows of each page: rendering the others takes most of the time."""
    rows = admin_list.results
    monkeypatch.setattr(admin_list, "results", lambda changes: islice(rows(changes), 3))


@pytest.fixture(autouse=True)
def patient_transactions(monkeypatch):
    """Let transactions be idle: explaining takes time."""
    monkeypatch.setattr(transactions, "IDLE_S", 300.0)
