"""The benchmark of the admin fills tables that look like real ones, and finds every page."""

from datetime import UTC, datetime

import pytest
from django.contrib import admin
from django.test import Client

from accounts.models import User
from devtools.benchmarks.admin import fill
from devtools.benchmarks.admin.measure import Figures, request
from devtools.benchmarks.admin.pages import Crawl, Page, page_at
from devtools.benchmarks.admin.rows import BUSY_ADDRESS, Sizes
from notifications.models import DeliveryAttempt, Message, ProviderEvent, Suppression
from tests.factories import MessageFactory

pytestmark = pytest.mark.django_db
COUNT = 2_000


@pytest.fixture
def filled():
    fill.insert(Sizes(messages=COUNT, now=datetime.now(UTC)))


def values(model, column):
    return set(model.objects.values_list(column, flat=True))


def test_tables_are_filled_as_real_ones(filled):
    assert Message.objects.count() == COUNT
    assert values(Message, "status") >= {"sent", "dead", "queued", "suppressed", "expired", "cancelled", "sending"}
    assert values(Message, "outcome") >= {"unknown", "delivered", "bounced", "deferred"}
    assert values(Message, "stream") == {"critical", "default", "bulk"}
    assert Message.objects.filter(to_address=BUSY_ADDRESS, user=None).exists()
    assert not Message.objects.exclude(to_address=BUSY_ADDRESS).exclude(user__in=User.objects.all()).exists()
    assert (
        DeliveryAttempt.objects.filter(message__status="sent").count() == Message.objects.filter(status="sent").count()
    )
    assert ProviderEvent.objects.filter(message=None).exists()
    assert Suppression.objects.filter(lifted_at=None).exists()


def test_ids_grow_with_time(filled):
    by_time = list(Message.objects.order_by("created_at", "id").values_list("id", flat=True))
    assert by_time == sorted(by_time)


def test_crawl_finds_every_list_and_the_pages_of_objects(admin_client):
    for status in ("queued", "dead", "expired"):
        MessageFactory(status=status)
    pages = Crawl(get=admin_client.get, searches=lambda name: ["ada"], most_values=1, most_objects=1).run()
    assert len({page.url for page in pages}) == len(pages)
    names = {page.name for page in pages}
    lists = {f"{model._meta.app_label}_{model._meta.model_name}_changelist" for model in admin.site._registry}
    assert names >= lists | {"index", "notifications_status", "notifications_message_change"}
    # No page links to the forms of actions on all chosen messages, but they have URLs.
    assert "notifications_message_resend_many" in names
    assert not names & {"logout", "login"}


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("/admin/", Page(url="/admin/", name="index", shape=())),
        (
            "/admin/notifications/message/?q=a&p=2",
            Page(
                url="/admin/notifications/message/?q=a&p=2", name="notifications_message_changelist", shape=("p", "q")
            ),
        ),
        ("/account/", None),
        ("https://example.com/admin/", None),
        ("/admin/no/such/page", None),
        ("/admin/logout/", None),
    ],
)
def test_page_is_known_by_its_url(url, page):
    assert page_at(url) == page


def test_queries_are_counted(admin_user):
    client = Client()
    client.force_login(admin_user)
    figures = Figures()
    request(client, "/admin/notifications/message/", figures)
    assert len(figures.took_ms) == 1
    assert 3 < figures.queries <= 15
    assert "SELECT" in figures.slowest


@pytest.mark.parametrize(
    ("changed", "is_good"),
    [({}, True), ({"took_ms": [1, 301, 301]}, False), ({"queries": 16}, False), ({"status": 500}, False)],
)
def test_limits(changed, is_good):
    assert Figures(**{"took_ms": [1, 300, 900], "queries": 15, "status": 302} | changed).is_good is is_good
