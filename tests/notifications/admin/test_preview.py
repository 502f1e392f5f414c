"""The preview on a message's page: sandboxed, without tokens, for those who may view the message."""

import re
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from notifications.delivery.preview import PLACEHOLDER, Likeness
from notifications.models import DeliveryAttempt, Message
from tests.factories import MessageFactory
from tests.notifications.delivery.delivering import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey", "provider")]

TOKEN = re.compile(r"[0-9a-z]{5,}-[0-9a-f]{20,}")


def page_of(message):
    return reverse("admin:notifications_message_change", args=[message.pk])


def frame_of(message):
    return reverse("admin:notifications_message_preview", args=[message.pk])


@pytest.fixture
def message():
    message = MessageFactory()
    run(message)
    return Message.objects.get(pk=message.pk)


def test_page_shows_what_was_sent_without_a_token(message, staff, provider):
    (email,) = provider.taken
    assert TOKEN.search(email.html)
    page = staff("view_message").get(page_of(message))
    assert page.context["preview"].shown.likeness is Likeness.EXACT
    assert re.search(rf'<iframe src="{frame_of(message)}"[^>]*\ssandbox>', page.text)
    assert email.subject in page.text
    assert PLACEHOLDER in page.text
    assert not TOKEN.search(page.context["preview"].shown.content.text)


def test_frame_may_load_and_run_nothing(message, staff):
    frame = staff("view_message").get(frame_of(message))
    policy = {part.strip() for part in frame["Content-Security-Policy"].split(";")}
    assert policy == {
        *("sandbox", "default-src 'none'", "style-src 'unsafe-inline'"),
        *("form-action 'none'", "base-uri 'none'", "frame-ancestors 'self'"),
    }
    assert frame["X-Frame-Options"] == "SAMEORIGIN"
    assert frame.text.count(f'href="{PLACEHOLDER}"')
    assert not TOKEN.search(frame.text)


def test_preview_changes_nothing(message, admin_client, django_assert_max_num_queries):
    def rows():
        return list(Message.objects.values()), list(DeliveryAttempt.objects.values())

    before = rows()
    with django_assert_max_num_queries(6):
        admin_client.get(frame_of(message))
    assert rows() == before
    assert admin_client.post(frame_of(message)).status_code == 405
    assert rows() == before


def test_preview_requires_permission(message, staff, client):
    assert staff("view_suppression").get(frame_of(message)).status_code == 403
    assert staff("view_message").get(reverse("admin:notifications_message_preview", args=[uuid4()])).status_code == 404
    assert client.get(frame_of(message)).status_code == 302


def test_page_says_why_there_is_no_preview(staff):
    message = MessageFactory(user=None, to_address="", anonymized_at=Now())
    browser = staff("view_message")
    page = browser.get(page_of(message))
    assert page.context["preview"].shown is None
    assert "<iframe" not in page.text
    frame = browser.get(frame_of(message))
    assert (frame.status_code, frame["Content-Type"]) == (404, "text/plain; charset=utf-8")
