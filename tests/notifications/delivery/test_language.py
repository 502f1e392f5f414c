"""Email is in the recipient's language, or in the site's if its translation is broken."""

import logging
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from babel.messages import mofile, pofile
from django.conf import settings as django_settings
from django.db import OperationalError
from django.utils import translation

from accounts import emails
from notifications import kinds
from notifications.delivery.render import RenderingError, message_language, render
from tests.factories import MessageFactory, UserFactory

pytestmark = pytest.mark.django_db

GERMAN = django_settings.BASE_DIR / "locale" / "de" / "LC_MESSAGES"
TEMPLATE = (django_settings.BASE_DIR / "templates" / "emails" / "welcome" / "subject.txt").read_text()
# The subject of a welcome in the catalogue.
SUBJECT = re.findall(r"%}([^{%]*{{.*}}[^{%]*){%", TEMPLATE)[0].replace("{{ site_name }}", "%(site_name)s")
with (GERMAN / "django.po").open("rb") as file:
    TRANSLATED = pofile.read_po(file, locale="de")


def subject(language):
    sentence = SUBJECT if language == "en" else TRANSLATED[SUBJECT].string
    return sentence % {"site_name": django_settings.SITE_NAME}


def prose(email):
    """Return the sentences of a text, without links, names and short lines."""
    return {line for line in email.text.splitlines() if len(line.split()) > 3}


def welcome(language="de"):
    return MessageFactory(user=UserFactory(language=language))


@pytest.mark.parametrize(
    ("account", "context", "language"),
    [
        ("de", {}, "de"),
        ("en", {"language": "de"}, "en"),
        ("", {"language": "de"}, "de"),
        ("", {}, "en"),
        ("de-AT", {}, "de"),
        ("fr", {}, "en"),
        ("", {"language": "not a language"}, "en"),
        ("", {"language": ["de"]}, "en"),
        ("", {"language": None}, "en"),
    ],
)
def test_language_is_of_the_account_the_message_or_the_site(account, context, language):
    assert message_language(MessageFactory(user=UserFactory(language=account), context=context)) == language


def test_farewell_is_in_the_language_of_the_deleted_account():
    context = {"name": "Ada", "language": "de"}
    email = render(
        MessageFactory(kind="account-deleted", user=None, to_address="a@b.example", context=context), attempt=1
    )
    assert '<html lang="de">' in email.html
    assert "Hallo Ada," in email.text


def test_email_is_german_from_subject_to_footer():
    with translation.override("en"):
        email = render(welcome(), attempt=1)
        assert translation.get_language() == "en"
    assert email.subject == subject("de")
    assert '<html lang="de">' in email.html
    assert prose(email).isdisjoint(prose(render(welcome("en"), attempt=1)))
    for part in (email.text, email.html):
        assert "Hallo," in part
        assert "3 Tage" in part


def test_english_email_is_english_while_the_active_language_is_german():
    with translation.override("de"):
        email = render(welcome("en"), attempt=1)
    assert email.subject == subject("en")
    assert "3 days" in email.text


def test_missing_variable_in_a_translated_sentence_is_an_error(caplog):
    message = MessageFactory(kind="address-changed", user=UserFactory(language="de"), context={})
    with pytest.raises(RenderingError, match=r"^MissingVariableError:new_address$"):
        render(message, attempt=1)
    assert caplog.records == []


@pytest.fixture
def locale(settings, tmp_path):
    """Translations into German that a test may break."""
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.mo").write_bytes((GERMAN / "django.mo").read_bytes())
    settings.LOCALE_PATHS = [tmp_path]
    return folder / "django.mo"


def assert_fallback(caplog, problem):
    with caplog.at_level(logging.WARNING):
        email = render(welcome(), attempt=1)
    assert email.subject == subject("en")
    assert '<html lang="en">' in email.html
    assert "/confirm/" in email.text
    assert "Hallo" not in email.text + email.html
    (record,) = caplog.records
    kind, language, error, used = record.args
    assert (kind, language, str(error), used) == ("welcome", "de", problem, "en")


@pytest.mark.parametrize(
    ("sentence", "problem"),
    [
        ("Willkommen bei %(Seite)s", "BrokenTranslationError"),
        ("Willkommen bei %(site_name)", "BrokenTranslationError"),
        ("Willkommen bei %(site_name)y", "BrokenTranslationError"),
        ("Willkommen bei %(site_name)d", "TypeError"),
        ("Willkommen bei %s %s", "TypeError"),
    ],
)
def test_broken_placeholder_falls_back(locale, caplog, sentence, problem):
    with (GERMAN / "django.po").open("rb") as file:
        catalogue = pofile.read_po(file, locale="de")
    catalogue[SUBJECT].string = sentence
    with locale.open("wb") as file:
        mofile.write_mo(file, catalogue)
    assert_fallback(caplog, problem)


@pytest.mark.parametrize(
    ("corrupt", "problem"),
    [
        (lambda whole: b"", "error"),
        (lambda whole: b"Not a catalogue.", "OSError"),
        (lambda whole: whole[: len(whole) // 2], "OSError"),
        (lambda whole: whole.replace("für".encode(), b"f\xffr"), "UnicodeDecodeError"),
        (lambda whole: whole.replace(b"plural=(n != 1)", b"plural=(n !!! )"), "ValueError"),
    ],
)
def test_broken_file_falls_back(locale, caplog, corrupt, problem):
    locale.write_bytes(corrupt(locale.read_bytes()))
    assert_fallback(caplog, problem)


def test_sentence_without_translation_stays_english(locale):
    with locale.open("wb") as file:
        mofile.write_mo(file, pofile.Catalog(locale="de"))
    email = render(welcome(), attempt=1)
    assert email.subject == subject("en")


def away(user):
    raise OperationalError


def test_outage_of_the_database_is_not_a_broken_translation(monkeypatch, caplog):
    monkeypatch.setitem(kinds.KINDS, "welcome", replace(emails.WELCOME, context=away))
    with pytest.raises(OperationalError):
        render(welcome(), attempt=1)
    assert caplog.records == []


def test_resent_notice_keeps_the_time_of_the_event():
    happened = datetime(2026, 3, 1, 9, 5, tzinfo=UTC)
    user = UserFactory(language="de")
    first = MessageFactory(kind="password-changed", user=user, created_at=happened)
    again = MessageFactory(kind="password-changed", user=user, resend_of=first)
    third = MessageFactory(kind="password-changed", user=user, resend_of=again)
    for message in (first, third):
        text = render(message, attempt=1).text
        assert "1. März 2026" in text
        assert "09:05 UTC" in text


@pytest.mark.parametrize(("kind", "said"), [("password-reset", True), ("account-exists", True), ("welcome", False)])
def test_unconfirmed_user_reads_that_a_new_password_confirms_the_address(kind, said):
    open_, done = UserFactory(), UserFactory(confirmed_at=datetime(2026, 3, 1, tzinfo=UTC))
    to_open, to_done = (render(MessageFactory(kind=kind, user=user), attempt=1) for user in (open_, done))
    assert len(to_open.text.split()) - len(to_done.text.split()) in (range(4, 30) if said else [0])
    assert len(to_open.html.split()) - len(to_done.html.split()) in (range(4, 30) if said else [0])
