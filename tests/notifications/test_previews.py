"""Previews are for developers only, need no database, and their links open nothing."""

import re
from importlib import reload
from urllib.parse import urlsplit

import pytest
from django.urls import clear_url_caches, resolve

from accounts import emails
from accounts.links import user_of
from config import urls as site_urls
from notifications import kinds, urls
from notifications.delivery.example import example
from notifications.kinds import Kind
from notifications.rules.states import Stream

LANGUAGES = ("en", "de")
NAMES = [kind.name for kind in kinds.with_templates()]


def _reload_urls():
    reload(urls)
    reload(site_urls)
    clear_url_caches()


@pytest.fixture
def production(settings):
    """The URLs of a site in production."""
    settings.DEBUG, settings.MAILROOM_LOCAL = False, False
    _reload_urls()
    yield
    settings.MAILROOM_LOCAL = True
    _reload_urls()


@pytest.fixture
def broken(monkeypatch):
    """A kind with a variable that its example lacks."""
    news = emails.PRODUCT_NEWS
    kind = Kind(name=news.name, stream=Stream.BULK, max_age=news.max_age, preview_context={"paragraphs": ["Text"]})
    monkeypatch.setitem(kinds.KINDS, news.name, kind)
    return kind.name


@pytest.mark.django_db
@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("path", ["/dev/emails/", "/dev/emails/welcome/", "/dev/emails/welcome/html/"])
def test_there_are_no_previews_in_production(client, path):
    assert client.get(path).status_code == 404


def test_index_has_every_subject_in_every_language(client):
    text = client.get("/dev/emails/").text
    for name in NAMES:
        for language in LANGUAGES:
            assert f'href="/dev/emails/{name}/?language={language}"' in text
    subjects = {example(kinds.get("welcome"), language)[0].subject for language in LANGUAGES}
    assert len(subjects) == len(LANGUAGES)
    assert all(subject in text for subject in subjects)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_every_kind_has_a_preview_in_every_language(client, name, language):
    shown = client.get(f"/dev/emails/{name}/", {"language": language})
    frame = re.search(r'<iframe src="([^"]+)"', shown.text)
    assert frame is not None
    assert f'<pre lang="{language}"' in shown.text
    html = client.get(frame[1].replace("&amp;", "&"))
    assert (html.status_code, f'<html lang="{language}">' in html.text) == (200, True)


@pytest.mark.parametrize("name", NAMES)
def test_email_in_german_says_nothing_in_english(name):
    kind = kinds.get(name)
    given = {"Mailroom", "manage.py provider_check --send-to", kind.preview_context.get("headline")}
    given.update(kind.preview_context.get("paragraphs", ()))
    english, german = (example(kind, language)[0] for language in LANGUAGES)
    lines = [{content.subject, *content.text.splitlines()} for content in (english, german)]
    shared = {line for line in lines[0] & lines[1] - given if not line.startswith("http")}
    assert {line for line in shared if any(map(str.isalpha, line))} == set()


def test_frame_may_be_shown_in_our_page_and_the_page_in_none(client):
    html, page = client.get("/dev/emails/welcome/html/"), client.get("/dev/emails/welcome/")
    assert html.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert html.headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
    )
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("scheme", "query"), [("light", "@media not all"), ("dark", "@media all"), ("purple", "@media not all")]
)
def test_scheme_is_the_readers_choice(client, scheme, query):
    assert query in client.get("/dev/emails/welcome/html/", {"scheme": scheme}).text


@pytest.mark.parametrize("name", ["welcome", "password-reset", "address-change"])
@pytest.mark.django_db
def test_links_in_previews_belong_to_no_account(client, name):
    content, _ = example(kinds.get(name), "en")
    assert content is not None
    (link,) = [url for url in re.findall(r"https?://\S+", content.text) if re.search(r"/\w+-\w{32}/$", url)]
    found = resolve(urlsplit(link).path)
    assert user_of(found.kwargs.get("uid") or found.kwargs["uidb64"]) is None


def test_kind_with_an_incomplete_example_names_the_variable(client, broken):
    _, problem = example(kinds.get(broken), "en")
    assert problem.endswith(": MissingVariableError:headline")
    for path in ("/dev/emails/", f"/dev/emails/{broken}/"):
        response = client.get(path)
        assert (response.status_code, problem in response.text) == (200, True)
    assert client.get(f"/dev/emails/{broken}/html/").text == problem


def test_unknown_kind_and_language(client):
    assert client.get("/dev/emails/pigeon/").status_code == 404
    assert '<pre lang="en"' in client.get("/dev/emails/welcome/", {"language": "xx"}).text
    assert client.post("/dev/emails/").status_code == 405
