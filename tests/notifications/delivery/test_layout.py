"""Every kind's HTML as it leaves the house: what mail programs do to it must not hurt."""

import re
from html import escape

import pytest

from notifications import kinds
from notifications.delivery.render import render
from tests.factories import MessageFactory, UserFactory

pytestmark = pytest.mark.django_db

# Gmail cuts longer ones off and hides the rest, with the link to unsubscribe in it.
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


@pytest.fixture(params=kinds.KINDS)
def kind(request):
    return kinds.get(request.param)


@pytest.fixture(params=["en", "de"])
def mail(request, kind):
    user = UserFactory(name="A Name Of Some Length", language=request.param, new_email="new@example.com")
    return render(MessageFactory(kind=kind.name, stream=kind.stream, user=user, context=LONG), attempt=1)


@pytest.fixture
def html(mail):
    return mail.html


def test_html_is_shorter_than_what_gmail_shows(html):
    assert len(html.encode()) < GMAIL_CLIPS_AT


def test_html_loads_nothing_from_anywhere(html):
    assert LOADS.search(html) is None


def test_styles_are_inlined_and_media_queries_are_kept(html):
    assert "style=" in html.partition("<body")[2]
    assert "@media (prefers-color-scheme: dark)" in html
    assert '<meta name="color-scheme" content="light dark">' in html


def test_tables_are_nothing_but_layout(html):
    tables = re.findall(r"<table[^>]*>", html)
    assert tables
    assert [table for table in tables if 'role="presentation"' not in table] == []


def test_mail_has_one_heading_and_tells_programs_what_it_is(mail):
    assert mail.html.count("<h1") == 1
    assert f"<title>{escape(mail.subject, quote=False)}</title>" in mail.html
    assert 'role="article"' in mail.html


def test_something_stands_behind_the_subject(html):
    (preheader,) = re.findall(r'<div class="preheader"[^>]*>(.*?)</div>', html, re.DOTALL)
    assert preheader.strip()


def test_text_has_every_link_of_the_html_and_the_html_every_link_of_the_text(mail):
    links = [set(re.findall(pattern, part)) for pattern, part in ((r'href="([^"]+)"', mail.html), (URL, mail.text))]
    assert links[0] == links[1]


def test_button_has_its_link_in_plain_below(html):
    for url in re.findall(r'<a class="button" href="([^"]+)"', html):
        assert re.search(rf'<a class="link" href="{re.escape(url)}"[^>]*>{re.escape(url)}</a>', html)


def test_text_is_tidy(mail):
    assert "\n\n\n" not in mail.text
    assert mail.text == mail.text.strip()
    assert mail.text.endswith("Mailroom\nhttp://127.0.0.1:8000")
