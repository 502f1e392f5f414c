"""Bulk email, and no other, has the headers and the link with which its reader unsubscribes."""

import re

import pytest

from notifications import kinds, links
from notifications.delivery.example import example
from notifications.delivery.preview import render_again
from notifications.delivery.render import merged, render
from notifications.kinds import Kind
from notifications.models import Message
from notifications.rules.states import Stream
from tests.factories import MessageFactory
from tests.notifications.delivery.prepared.rendering import message, templates

pytestmark = pytest.mark.django_db

LINK = re.compile(r"https?://\S*/unsubscribe/[^/\s\"]+/")
HEADERS = {"List-Unsubscribe", "List-Unsubscribe-Post"}


@pytest.fixture(autouse=True)
def https(settings):
    settings.SITE_URL = "https://mail.example.com"


@pytest.mark.parametrize("name", [kind.name for kind in kinds.with_templates()])
def test_only_bulk_has_the_link(name):
    kind = kinds.get(name)
    given = MessageFactory(kind=name, stream=kind.stream, context=kind.preview_context)
    email = render(given, attempt=1)
    url = links.unsubscribe_url(given.to_address)
    if kind.stream == Stream.BULK:
        assert email.headers["List-Unsubscribe"] == f"<{url}>"
        assert email.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert LINK.findall(email.text) == [url]
        assert set(LINK.findall(email.html)) == {url}
    else:
        assert HEADERS.isdisjoint(email.headers)
        assert LINK.findall(email.text + email.html) == []


def test_recipient_without_an_account_has_one():
    with templates(text="{{ unsubscribe_url }}"):
        guest = message()
        guest.stream = Stream.BULK
        assert render(guest, attempt=1).text == links.unsubscribe_url("ada@example.com")


@pytest.mark.parametrize("name", [kind.name for kind in kinds.with_templates() if kind.stream == Stream.BULK])
def test_link_of_a_preview_is_dead(name):
    kind: Kind = kinds.get(name)
    content, _ = example(kind, "en")
    again = render_again(MessageFactory(kind=name, stream=kind.stream, context=kind.preview_context)).content
    for shown in (content, again):
        assert set(LINK.findall(shown.text + shown.html)) == {links.dead_unsubscribe_url()}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"X-Test": "1"}, HEADERS),
        ({"LIST-unsubscribe": "<https://shop.example/leave>"}, {"LIST-unsubscribe"}),
        ({"List-Unsubscribe": "<https://shop.example/leave>", "List-Unsubscribe-Post": links.ONE_CLICK}, HEADERS),
    ],
)
def test_one_click_is_promised_for_no_other_link(more, expected):
    ours = {"List-Unsubscribe": "<https://engine.example/>", "List-Unsubscribe-Post": links.ONE_CLICK}
    found = merged(ours, more)
    assert {name for name in found if name.lower().startswith("list-")} == expected
    assert found.items() >= more.items()


@pytest.mark.parametrize("address", ["http://mail.example.com", "HTTPS://mail.example.com"])
def test_one_click_is_promised_with_https_only(settings, address):
    settings.SITE_URL = address
    with templates(text="{{ unsubscribe_url }}"):
        guest = message()
        guest.stream = Stream.BULK
        email = render(guest, attempt=1)
    assert email.text in email.headers["List-Unsubscribe"]
    assert (email.headers.keys() >= HEADERS) is (address.lower().startswith("https"))


def test_project_without_the_urls_sends_bulk_without_a_link(settings):
    settings.ROOT_URLCONF = "accounts.urls"
    with templates(text="Text {% if unsubscribe_url %}link{% endif %}"):
        guest: Message = message()
        guest.stream = Stream.BULK
        email = render(guest, attempt=1)
    assert (email.text, HEADERS & set(email.headers)) == ("Text", set())
