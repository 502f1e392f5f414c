"""Pages are in the browser's language. A broken translation does not break a page."""

import re

import pytest
from django.utils import translation

from config.middleware import UNREADABLE_TRANSLATION

GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}


@pytest.fixture(autouse=True)
def language_of_before():
    with translation.override("en"):
        yield


@pytest.mark.parametrize(
    ("asked", "spoken"), [("de-AT,de;q=0.9", "de"), ("fr,en;q=0.5", "en"), ("fr", "en"), ("\0;;q=x", "en"), ("", "en")]
)
def test_page_is_in_the_browsers_language(client, asked, spoken):
    response = client.get("/sign-up/", headers={"Accept-Language": asked})
    assert response.headers["Content-Language"] == spoken
    assert "Accept-Language" in response.headers["Vary"]


def test_each_language_is_offered_in_that_language(client):
    offered = re.findall(
        r'value="(\w+)"\s+lang="\1"\s+(aria-current="true")?>(\w+)<', client.get("/log-in/", headers=GERMAN).text
    )
    assert offered == [("en", "", "English"), ("de", 'aria-current="true"', "Deutsch")]


@pytest.mark.django_db
def test_admin_is_in_the_sites_language(client):
    response = client.get("/admin/login/", headers=GERMAN)
    assert response.headers["Content-Language"] == "en"
    assert '<html lang="en"' in response.text


def test_page_is_in_the_sites_language_if_the_translation_is_broken(client, settings, tmp_path, caplog):
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.mo").write_bytes(b"no sentences")
    settings.LOCALE_PATHS = [tmp_path]
    response = client.get("/sign-up/", headers=GERMAN)
    assert (response.status_code, response.headers["Content-Language"]) == (200, "en")
    assert [record.msg for record in caplog.records] == [UNREADABLE_TRANSLATION]


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["ada", "ada@localhost", "a@x.example, b@x.example", "a <a@x.example>", "a" * 300])
def test_form_errors_are_in_the_pages_language(client, typed):
    page = client.post("/sign-up/", {"email": typed, "name": "x\u202e", "password": "12345"}, headers=GERMAN).text
    said = re.findall(r'class="error"[^>]*>\s*(?:<p>(.*?)</p>)', page)
    assert len(said) >= 2
    assert not re.search(r"\b(the|is|please|this|has|address)\b", " ".join(said), re.IGNORECASE), said
