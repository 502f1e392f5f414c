"""Requests for addresses without an account have a limit that clients cannot observe."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from notifications.models import Message
from notifications.runtime.redis_client import client as broker
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
PAGES = ["password-reset", "confirm-again"]


@pytest.fixture(autouse=True)
def ceiling(settings):
    settings.UNKNOWN_ADDRESS_LIMIT = "3/hour"
    settings.TRUSTED_PROXIES = 1


def ask(page, address, number):
    client = Client(headers={"X-Forwarded-For": f"192.0.2.{number}"})
    return client.post(reverse(f"accounts:{page}"), {"email": address})


def flood(page):
    return [ask(page, f"made-up-{number}@example.com", number) for number in range(10)]


@pytest.mark.parametrize("page", PAGES)
def test_unknown_addresses_are_enqueued_up_to_the_limit(page):
    assert {answer.status_code for answer in flood(page)} == {302}
    assert Message.objects.count() == 3


@pytest.mark.parametrize("page", PAGES)
def test_users_get_their_email_during_a_flood(page):
    flood(page)
    UserFactory(email="ada@example.com", confirmed_at=timezone.now())
    assert ask(page, "ada@example.com", 99).status_code == 302
    assert Message.objects.filter(to_address="ada@example.com").count() == 1


@pytest.mark.parametrize("page", PAGES)
def test_database_statements_are_the_same_beyond_the_limit(page):
    with CaptureQueriesContext(connection) as first:
        below = ask(page, "below@example.com", 50)
    flood(page)
    with CaptureQueriesContext(connection) as second:
        beyond = ask(page, "above@example.com", 51)
    assert (below.status_code, below["Location"]) == (beyond.status_code, beyond["Location"])
    assert statements(first) == statements(second)


def statements(queries):
    """Return the statements' verbs, without the ends of transactions and savepoints."""
    verbs = [query["sql"].split()[0] for query in queries]
    return [verb for verb in verbs if verb not in {"RELEASE", "ROLLBACK"}]


@pytest.mark.parametrize("page", PAGES)
def test_flood_leaves_nothing_in_the_brokers_database(page, valkey):
    flood(page)
    assert not broker().keys("*limit*")
