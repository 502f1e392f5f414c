"""Searches and filters of the lists of messages: what is shown, and what is said about a wrong search."""

from datetime import timedelta

import pytest
from django.contrib import messages
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import translation

from notifications.admin import large_lists, offered
from notifications.admin.message_list import search_error_in_words, search_help
from notifications.kinds import KINDS
from notifications.models import Message
from notifications.operations import message_search
from notifications.rules.search_terms import TERMS, SearchError, SearchProblem
from tests.factories import MessageFactory

pytestmark = pytest.mark.django_db
MESSAGES = reverse("admin:notifications_message_changelist")
DEAD = reverse("admin:notifications_deadletter_changelist")


@pytest.fixture(autouse=True)
def short(monkeypatch, admin_user):
    """Lists of three rows, without the operator's welcome message."""
    Message.objects.all().delete()
    monkeypatch.setattr(large_lists, "NEWEST", 3)


def old(**fields):
    return MessageFactory(created_at=Now() - timedelta(hours=99), **fields)


def shown(page):
    return set(page.context["cl"].result_list)


def said(page):
    return [message.level for message in page.context["messages"]]


@pytest.mark.parametrize(
    ("url", "query"),
    [
        (MESSAGES, {"status__exact": "expired"}),
        (MESSAGES, {"kind": "account-exists"}),
        (MESSAGES, {"q": "kind:account-exists status:expired since:5d"}),
        (MESSAGES, {"q": "status:expired", "kind": "account-exists"}),
        (MESSAGES, {"q": "key:order-7", "status__exact": "expired"}),
        (MESSAGES, {"q": "order-7"}),
        (MESSAGES, {"q": "stream:critical"}),
        (MESSAGES, {"stream__exact": "critical"}),
    ],
)
def test_message_is_found_however_old(admin_client, url, query):
    found = old(kind="account-exists", stream="critical", status="expired", idempotency_key="order-7:receipt")
    for _number in range(4):
        MessageFactory(status="cancelled")
    page = admin_client.get(url, query)
    assert shown(page) == {found}
    assert said(page) == []


def test_filter_narrows_a_search(admin_client):
    MessageFactory(to_address="ada@example.com", kind="welcome")
    assert shown(admin_client.get(MESSAGES, {"q": "ada@", "kind": "password-reset"})) == set()
    assert shown(admin_client.get(MESSAGES, {"q": "kind:welcome", "kind": "password-reset"})) == set()


def test_list_of_dead_letters_searches_dead_letters(admin_client):
    dead = old(status="dead", to_address="ada@example.com", error_fingerprint="ses/x")
    MessageFactory(to_address="ada@example.com")
    for query in ("ada@", "status:dead", "error:ses/x", "kind:welcome since:9d", str(dead.id)):
        assert shown(admin_client.get(DEAD, {"q": query})) == {dead}
    assert shown(admin_client.get(DEAD, {"q": "status:queued"})) == set()
    assert shown(admin_client.get(DEAD, {"error_fingerprint": "ses/x"})) == {dead}


@pytest.mark.parametrize(
    "typed", ["knid:welcome ada@example.com", "status:gone", "since:soon", "kind:", "Ada Lovelace", "kind:a kind:b"]
)
def test_wrong_search_is_explained_and_stays_in_the_field(admin_client, typed):
    MessageFactory(to_address="ada@example.com")
    page = admin_client.get(MESSAGES, {"q": typed, "status__exact": "queued"})
    assert said(page) == [messages.ERROR]
    assert shown(page) == set()
    assert page.context["cl"].query == typed
    assert "status__exact=queued" in page.context["cl"].get_query_string()


def test_wrong_search_acts_on_nothing(admin_client):
    message = MessageFactory(status="expired")
    fields = {"action": "resend_selected", "_selected_action": [message.id], "select_across": "1"}
    page = admin_client.post(f"{MESSAGES}?q=knid:welcome", fields, follow=True)
    assert "previews" not in (page.context or {})
    assert Message.objects.count() == 1


def test_page_says_if_there_may_be_more(admin_client, monkeypatch):
    monkeypatch.setattr(message_search, "MOST_FOUND", 2)
    for _number in range(4):
        MessageFactory(status="expired")
    assert said(admin_client.get(MESSAGES, {"q": "status:expired"})) == [messages.INFO]


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("problem", SearchProblem)
@pytest.mark.parametrize("term", TERMS)
def test_every_error_names_its_part(language, problem, term):
    with translation.override(language):
        text = search_error_in_words(SearchError(problem, term=term, value="given"))
    assert term in text or "given" in text


@pytest.mark.parametrize("language", ["en", "de"])
def test_help_names_every_term(language):
    with translation.override(language):
        text = search_help()
    assert all(f"{term}:" in text for term in TERMS)


def test_filters_offer_what_indexes_hold():
    for kind in ("retired", "welcome", "retired"):
        message = MessageFactory(kind=kind, status="dead", error_fingerprint=f"ses/{kind}")
        message.delivery_attempts.create(number=1, provider="postmark", result="permanent")
    assert offered.kinds() == sorted({*KINDS, "retired"})
    assert offered.used_providers() == ["postmark", "simulator"]
    assert offered.causes() == ["ses/retired", "ses/welcome"]
    assert offered.reporters() == []
