"""The page behind a bulk email's link: who can act, and what only asks."""

import re
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.test.client import MULTIPART_CONTENT

from notifications import links
from notifications.events import consent, suppress
from notifications.events.consent import Subscription
from notifications.models import Message, Suppression
from notifications.outbox import Draft, enqueue
from notifications.rules.states import Status
from notifications.rules.suppression import Reason
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

ADDRESS = "guest@example.com"
FORM = "application/x-www-form-urlencoded"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def strict():
    """A client without cookies, whose POSTs Django's CSRF check reads."""
    return Client(enforce_csrf_checks=True)


def path(address=ADDRESS):
    return urlsplit(links.unsubscribe_url(address)).path


def reasons(address=ADDRESS):
    return {row.reason for row in Suppression.objects.in_force([address])}


@pytest.mark.parametrize("content_type", [FORM, MULTIPART_CONTENT])
def test_one_click_unsubscribes_without_log_in_cookie_or_redirect(strict, content_type):
    body = ONE_CLICK if content_type == MULTIPART_CONTENT else links.ONE_CLICK
    for _ in range(2):
        answer = strict.post(path(), body, content_type=content_type)
        assert (answer.status_code, answer.cookies.output()) == (200, "")
    assert reasons() == {Reason.UNSUBSCRIBED}
    assert Suppression.objects.get().detail == consent.BY_ONE_CLICK


@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_the_page_only_asks(strict, method):
    answer = getattr(strict, method)(path())
    assert answer.status_code == 200
    assert reasons() == set()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("", FORM),
        ("List-Unsubscribe=one-click", FORM),
        ("List-Unsubscribe=One-Click&x=1", FORM),
        ("List-Unsubscribe=One-Click&List-Unsubscribe=One-Click", FORM),
        ("list-unsubscribe=One-Click", FORM),
        ("action=", FORM),
        ("action=unsubscribe&action=resubscribe", FORM),
        (links.ONE_CLICK, "text/plain"),
        ('{"List-Unsubscribe": "One-Click"}', "application/json"),
    ],
)
def test_other_posts_only_ask(strict, body, content_type):
    answer = strict.post(path(), body, content_type=content_type)
    assert answer.status_code == 400
    assert 'data-subscription="subscribed"' in answer.text
    assert reasons() == set()


def test_scanner_that_posts_the_pages_form_changes_nothing(strict):
    # Without pressing a button: only the fields of the form.
    (form,) = re.findall(r"<form method=\"post\">(.*?)</form>", strict.get(path()).text, re.DOTALL)
    assert "<input" not in form
    strict.post(path(), {})
    assert reasons() == set()


def test_button_unsubscribes_and_another_subscribes_again(strict):
    after = strict.post(path(), {"action": "unsubscribe"}, follow=True)
    assert 'data-subscription="unsubscribed"' in after.text
    assert Suppression.objects.get().detail == consent.BY_PAGE
    after = strict.post(path(), {"action": "resubscribe"}, follow=True)
    assert 'data-subscription="subscribed"' in after.text
    assert reasons() == set()


def test_complaint_stays_in_force(strict):
    suppress.suppress(ADDRESS, Reason.COMPLAINT, "")
    assert 'data-subscription="complained"' in strict.get(path()).text
    strict.post(path(), {"action": "resubscribe"})
    assert consent.subscription(ADDRESS) is Subscription.COMPLAINED


def test_link_concerns_its_address_only(strict):
    strict.post(path(), ONE_CLICK)
    assert reasons("other@example.com") == set()


@pytest.mark.parametrize("token", ["forged", links.DEAD_TOKEN])
def test_bad_link_and_that_of_a_preview_have_a_page_and_change_nothing(strict, token):
    where = f"/unsubscribe/{token}/"
    for answer in (strict.get(where), strict.post(where, ONE_CLICK), strict.post(where, {"action": "unsubscribe"})):
        assert answer.status_code == (200 if token == links.DEAD_TOKEN else 404)
        assert "data-page=" in answer.text
    assert not Suppression.objects.exists()


def test_page_is_private(strict):
    answer = strict.get(path())
    assert answer["Referrer-Policy"] == "strict-origin"
    assert answer["X-Robots-Tag"] == "noindex"
    assert "no-store" in answer["Cache-Control"]
    assert strict.put(path()).status_code == 405


def test_plain_page_needs_no_template_of_the_project(strict, settings):
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]
    assert "notifications/page" in strict.get(path()).text


def test_bulk_stops_and_other_email_does_not(strict):
    reader = UserFactory(email=ADDRESS)
    waiting = news(reader)
    strict.post(path(), ONE_CLICK)
    assert news(reader).status == Status.SUPPRESSED
    reset = enqueue(Draft(kind="password-reset", to=ADDRESS, user=reader))
    assert reset.status == Status.QUEUED
    # The worker checks it again.
    assert Message.objects.get(pk=waiting.pk).status == Status.QUEUED


def news(reader):
    return enqueue(Draft(kind="product-news", to=ADDRESS, user=reader, context={"headline": "News"}))
