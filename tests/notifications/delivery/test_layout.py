"""The HTML of every kind survives what email programs do to it."""

import re
from html import escape

import pytest

from notifications import kinds
from notifications.delivery.render import render
from tests.factories import MessageFactory, UserFactory

pytestmark = pytest.mark.django_db

# Gmail cuts off longer ones, and hides the unsubscribe link with the rest.
GMAIL_CLIPS_AT = 102_000
LOADS = re.compile(r"""(<link|<script|@import|\bsrc=|\bbackground=|url\()""", re.IGNORECASE)
URL = re.compile(r"https?://\S+")
LONG = {
    "headline": "News " * 20,
    "paragraphs": ["A paragraph of some length, as people write them. " * 10] * 20,
    "sender": "An operator",
    "sent_from": "some machine",
    "new_address": "n…w@example.com",
}


@pytest.fixture(params=[kind.name for kind in kinds.with_templates()])
def kind(request):
    return kinds.get(request.param)


@pytest.fixture(scope="module")
def rendered():
    """Emails by kind and language: each is rendered for the first test that reads it."""
    return {}


@pytest.fixture(params=["en", "de"])
def email(request, kind, rendered):
    key = kind.name, request.param
    if key not in rendered:
        user = UserFactory(name="A Name Of Some Length", language=request.param, new_email="new@example.com")
        message = MessageFactory(kind=kind.name, stream=kind.stream, user=user, context=LONG)
        rendered[key] = render(message, attempt=1)
    return rendered[key]


@pytest.fixture
def html(email):
    return email.html


def test_html_is_shorter_than_the_limit_of_gmail(html):
    assert len(html.encode()) < GMAIL_CLIPS_AT


def test_html_loads_nothing(html):
    assert LOADS.search(html) is None


def test_styles_are_inlined_and_media_queries_are_kept(html):
    assert "style=" in html.partition("<body")[2]
    assert "@media (prefers-color-scheme: dark)" in html
    assert '<meta name="color-scheme" content="light dark">' in html


def test_tables_are_marked_as_layout(html):
    tables = re.findall(r"<table[^>]*>", html)
    assert tables
    assert [table for table in tables if 'role="presentation"' not in table] == []


def test_email_has_one_heading_a_title_and_a_role(email):
    assert email.html.count("<h1") == 1
    assert f"<title>{escape(email.subject, quote=False)}</title>" in email.html
    assert 'role="article"' in email.html


def test_email_has_a_preheader(html):
    (preheader,) = re.findall(r'<div class="preheader"[^>]*>(.*?)</div>', html, re.DOTALL)
    assert preheader.strip()


def test_text_and_html_have_the_same_links(email):
    links = [set(re.findall(pattern, part)) for pattern, part in ((r'href="([^"]+)"', email.html), (URL, email.text))]
    assert links[0] == links[1]


def test_link_of_the_button_is_repeated_as_text(html):
    for url in re.findall(r'<a class="button" href="([^"]+)"', html):
        assert re.search(rf'<a class="link" href="{re.escape(url)}"[^>]*>{re.escape(url)}</a>', html)


def test_text_has_no_stray_blanks(email):
    assert "\n\n\n" not in email.text
    assert email.text == email.text.strip()
    assert email.text.endswith("Mailroom\nhttp://127.0.0.1:8000")
