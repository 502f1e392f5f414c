"""No statement reads a whole large table: pages, batches and jobs read only what they need."""

import pytest
from django.test import Client

from accounts.models import User
from tests.plans.reading import every_statement_served
from tests.plans.work import (  # noqa: F401 - registered by import
    WORKS,
    Bench,
    admin,
    events,
    monitoring,
    operators,
    pages,
    sending,
)
from tests.scripted_webhook import ScriptedWebhook

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("large_tables", "valkey")]


@pytest.fixture
def bench(provider, registered):
    registered("scripted", webhook=ScriptedWebhook)
    operator, browser = Client(), Client()
    operator.force_login(User.objects.create_superuser("operator@example.com", "a long password"))
    person = User.objects.filter(confirmed_at__isnull=False, is_superuser=False).order_by("-pk").first()
    browser.force_login(person)
    return Bench(provider=provider, operator=operator, person=person, browser=browser)


@pytest.mark.parametrize("name", WORKS)
def test_every_statement_is_served_by_an_index(name, bench):
    with every_statement_served() as reading:
        WORKS[name](bench)
    assert reading.explained
