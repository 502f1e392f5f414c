"""The dashboard of the admin."""

import html
import re
from datetime import UTC

import pytest
from django.db import connection
from django.db.models.functions import Now, TruncHour
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from notifications.models import HourlyDomain, HourlyTraffic, RolledUpHour
from notifications.operations.finding import Code
from notifications.rules.histogram import BUCKETS
from notifications.rules.reputation import Judgement
from notifications.rules.states import Status
from notifications.runtime.heartbeat import beat
from tests.factories import MessageFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


LISTS = reverse("admin:app_list", args=["notifications"])


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator@example.com", "a long password"))
    return client


def test_page_shows_the_status(operator):
    beat("relay@here", "<tired>")
    MessageFactory(status=Status.DEAD, error_fingerprint="ses/MessageRejected")
    response = operator.get(reverse("admin:notifications_dashboard"))
    page = response.content.decode()
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
    page = operator.get(reverse("admin:notifications_dashboard")).content.decode()
    links = set(re.findall(rf'href="({LISTS}[^"]*)"', page))
    assert len(links) == 14
    for link in links:
        assert operator.get(html.unescape(link)).status_code == 200


def test_page_runs_a_constant_number_of_queries(operator, django_assert_max_num_queries):
    for number in range(30):
        beat(f"main@{number}")
        MessageFactory(status=Status.DEAD, error_fingerprint=f"ses/{number}")
    with django_assert_max_num_queries(15):
        page = operator.get(reverse("admin:notifications_dashboard"))
    assert page.context["other_causes"] == 20


def test_page_writes_nothing(operator):
    with CaptureQueriesContext(connection) as asked:
        operator.get(reverse("admin:notifications_dashboard"))
    assert not [query["sql"] for query in asked if not query["sql"].lstrip().startswith(("SELECT", "WITH"))]


def test_page_links_to_flower(operator, settings):
    settings.FLOWER_URL = "https://flower.example.com"
    assert (
        'href="https://flower.example.com"' in operator.get(reverse("admin:notifications_dashboard")).content.decode()
    )
    settings.FLOWER_URL = ""
    assert "Flower" not in operator.get(reverse("admin:notifications_dashboard")).content.decode()


@pytest.fixture
def counted():
    """Count an hour with email that a provider accepted, and of which some bounced."""
    to_provider = [0] * BUCKETS
    to_provider[3] = 200
    counts = {"sent": 200, "delivered": 150, "hard_bounced": 30, "deferred": 5}
    hour = TruncHour(Now(), tzinfo=UTC)
    HourlyTraffic.objects.create(hour=hour, stream="default", provider="ses", to_provider=to_provider, **counts)
    HourlyDomain.objects.create(hour=hour, domain="<example>.com", to_delivered=to_provider, **counts)
    RolledUpHour.objects.create(hour=hour, counted_at=Now())


def test_page_shows_the_past(operator, counted):
    response = operator.get(reverse("admin:notifications_dashboard"))
    page, context = response.content.decode(), response.context
    assert "&lt;example&gt;.com" in page
    # The clock may have struck.
    assert re.search(r'<rect x="(231|221)" y="0" width="8" height="100">', page)
    assert [len(span["rows"]) for span in context["spans"]] == [24, 30]
    sent = [span["charts"][0]["total"] for span in context["spans"]]
    assert sent == ["200", "200"]
    (bounces, *_) = context["reputation"]
    assert [period["code"] for period in bounces["periods"]] == [Judgement.OVER, Judgement.OVER]
    lane = next(lane for lane in context["lanes"] if lane["name"] == "default")
    assert lane["day"] == lane["recent"] == {"p50": "0.35 s", "p95": "0.48 s", "delivered": ""}
    assert not context["is_late"]


def test_page_without_email_says_so(operator):
    response = operator.get(reverse("admin:notifications_dashboard"))
    assert (response.context["reputation"], response.context["domains"]) == ([], [])
    assert response.context["is_late"]


@pytest.mark.parametrize("name", ["now", "history"])
def test_part_is_a_part_of_the_page(operator, counted, name):
    page = operator.get(reverse("admin:notifications_dashboard")).content.decode()
    part = operator.get(reverse(f"admin:notifications_{name}")).content.decode()
    parts = re.findall(r'data-part="(\w+)"', part)
    assert parts == {"now": ["now", "details"], "history": ["history"]}[name]
    assert [page.count(f'data-part="{part}"') for part in parts] == [1] * len(parts)
    assert "<html" not in part


@pytest.mark.parametrize("address", ["/admin/status/", "/admin/notifications/message/status/"])
def test_earlier_address_leads_to_the_page(operator, address):
    assert operator.get(address).url == reverse("admin:notifications_dashboard") == "/admin/email/"


def test_page_is_linked_from_every_page_of_the_admin(operator):
    assert reverse("admin:notifications_dashboard") in operator.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize("name", ["dashboard", "now", "history"])
def test_page_is_for_staff_who_may_see_messages(client, name):
    page = reverse(f"admin:notifications_{name}")
    assert client.get(page).status_code == 302
    client.force_login(User.objects.create_user("staff@example.com", "a long password", is_staff=True))
    assert client.get(page).status_code == 403


@pytest.mark.parametrize("name", ["dashboard", "now", "history"])
def test_page_accepts_no_post(operator, name):
    assert operator.post(reverse(f"admin:notifications_{name}")).status_code == 405
