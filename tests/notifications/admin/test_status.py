"""The status page of the admin."""

import html
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from notifications.operations.finding import Code
from notifications.rules.states import Status
from notifications.runtime.heartbeat import beat
from tests.factories import MessageFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


LISTS = reverse("admin:app_list", args=["notifications"])


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator@example.com", "a long password"))
    return client


def test_page_shows_the_status_and_refreshes(operator, client):
    beat("relay@here", "<tired>")
    MessageFactory(status=Status.DEAD, error_fingerprint="ses/MessageRejected")
    response = operator.get(reverse("admin:notifications_status"))
    page = response.content.decode()
    assert '<meta http-equiv="refresh" content="5">' in page
    found = {finding.code: finding for finding in response.context["findings"]}
    for text in ("relay@here", "ses/MessageRejected", str(found[Code.STREAM_UNSERVED]), "&lt;tired&gt;"):
        assert text in page
    for query in (
        "error_fingerprint=ses%2FMessageRejected",
        "status__exact=queued&amp;stream__exact=bulk",
        "provider=simulator",
    ):
        assert query in page


def test_links_of_the_page_lead_to_lists(operator):
    MessageFactory(status=Status.DEAD, error_fingerprint="ses/x")
    page = operator.get(reverse("admin:notifications_status")).content.decode()
    links = set(re.findall(rf'href="({LISTS}[^"]*)"', page)) - {reverse("admin:notifications_status")}
    assert len(links) == 13
    for link in links:
        assert operator.get(html.unescape(link)).status_code == 200


def test_page_runs_a_constant_number_of_queries(operator, django_assert_max_num_queries):
    for number in range(30):
        beat(f"main@{number}")
        MessageFactory(status=Status.DEAD, error_fingerprint=f"ses/{number}")
    with django_assert_max_num_queries(15):
        page = operator.get(reverse("admin:notifications_status"))
    assert page.context["other_causes"] == 20


def test_page_writes_nothing(operator):
    with CaptureQueriesContext(connection) as asked:
        operator.get(reverse("admin:notifications_status"))
    assert not [query["sql"] for query in asked if not query["sql"].lstrip().startswith(("SELECT", "WITH"))]


def test_page_links_to_flower(operator, settings):
    settings.FLOWER_URL = "https://flower.example.com"
    assert 'href="https://flower.example.com"' in operator.get(reverse("admin:notifications_status")).content.decode()
    settings.FLOWER_URL = ""
    assert "Flower" not in operator.get(reverse("admin:notifications_status")).content.decode()


def test_page_is_linked_from_every_page_of_the_admin(operator):
    assert reverse("admin:notifications_status") in operator.get(reverse("admin:index")).content.decode()


def test_page_is_for_staff_who_may_see_messages(client):
    assert client.get(reverse("admin:notifications_status")).status_code == 302
    client.force_login(User.objects.create_user("staff@example.com", "a long password", is_staff=True))
    assert client.get(reverse("admin:notifications_status")).status_code == 403


def test_page_accepts_no_post(operator):
    assert operator.post(reverse("admin:notifications_status")).status_code == 405
