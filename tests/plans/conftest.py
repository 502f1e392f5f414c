"""Fills the tables once for all plan tests of a process; each test runs in a transaction that is rolled back."""

import pytest

from notifications.admin import large_lists
from notifications.models import transactions
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


@pytest.fixture(autouse=True)
def patient_transactions(monkeypatch):
    """Let transactions be idle: explaining takes time."""
    monkeypatch.setattr(transactions, "IDLE_S", 300.0)
