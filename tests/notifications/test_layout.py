"""Every kind's HTML as it leaves the house: what mail programs do to it must not hurt."""

import re

import pytest

from notifications import kinds
from notifications.delivery.rendering import render
from tests.factories import MessageFactory, UserFactory

pytestmark = pytest.mark.django_db

# Gmail cuts longer ones off and hides the rest, with the link to unsubscribe in it.
GMAIL_CLIPS_AT = 102_000
LOADS = re.compile(r"""(<link|<script|@import|\bsrc=|\bbackground=|url\()""", re.IGNORECASE)
LONG = {
    "headline": "News " * 20,
    "paragraphs": ["A paragraph of some length, as people write them. " * 10] * 20,
    "sender": "An operator",
    "sent_from": "some machine",
    "new_address": "n…w@example.com",
}


@pytest.fixture(params=kinds.KINDS)
def html(request):
    kind = kinds.get(request.param)
    user = UserFactory(name="A Name Of Some Length")
    return render(MessageFactory(kind=kind.name, stream=kind.stream, user=user, context=LONG), attempt=1).html


def test_html_is_shorter_than_what_gmail_shows(html):
    assert len(html.encode()) < GMAIL_CLIPS_AT


def test_html_loads_nothing_from_anywhere(html):
    assert LOADS.search(html) is None


def test_styles_are_inlined_and_media_queries_are_kept(html):
    assert "style=" in html.partition("<body")[2]
    assert "@media (prefers-color-scheme: dark)" in html
    assert '<meta name="color-scheme" content="light dark">' in html
