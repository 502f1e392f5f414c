"""Admin lists over large tables: which rows they hold, and what a search finds."""

from datetime import timedelta

import pytest
from django.contrib.admin import ModelAdmin, site
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone, translation
from pytest_django.asserts import assertHTMLEqual

from notifications.admin import large_lists
from notifications.models import Message, ProviderEvent
from notifications.operations import message_search
from tests.factories import MessageFactory, UserFactory

pytestmark = pytest.mark.django_db
MESSAGES = reverse("admin:notifications_message_changelist")


@pytest.fixture(autouse=True)
def no_other_messages(admin_user):
    """Delete the operator's welcome message."""
    Message.objects.all().delete()


@pytest.fixture
def short(monkeypatch):
    """A list of three rows."""
    monkeypatch.setattr(large_lists, "NEWEST", 3)


def made(*ages, **fields):
    """Make messages, each this many hours old."""
    return [MessageFactory(created_at=Now() - timedelta(hours=age), **fields) for age in ages]


def shown(client, url=MESSAGES, **query):
    page = client.get(url, query)
    assert page.status_code == 200
    return list(page.context["cl"].result_list)


def test_list_holds_the_newest(admin_client, short):
    messages = made(1, 2, 3, 4, 5, status="expired")
    assert shown(admin_client) == messages[:3]
    assert set(shown(admin_client, o="2")) == set(messages[:3])
    assert admin_client.get(MESSAGES).context["cl"].paginator.count == 3


def test_day_shows_old_messages(admin_client, short):
    made(0, 0, 0, 0, status="expired")
    (old,) = made(24 * 10, status="expired")
    day = timezone.localdate() - timedelta(days=10)
    assert shown(admin_client, day=day.isoformat()) == [old]


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "x"])
@pytest.mark.parametrize("query", [{}, {"q": "ada@"}, {"status__exact": "queued"}])
def test_day_that_no_list_has_is_ignored(admin_client, day, query):
    (message,) = made(0, to_address="ada@example.com", status="queued")
    assert shown(admin_client, day=day, **query) == [message]


@pytest.mark.parametrize(
    "query", [{"q": "ada@"}, {"status__exact": "queued"}, {"q": "ada@", "status__exact": "queued"}]
)
def test_day_narrows_a_search_and_a_filter(admin_client, query):
    old, _ = made(24 * 10, 0, to_address="ada@example.com", status="queued")
    day = timezone.localdate() - timedelta(days=10)
    assert shown(admin_client, day=day.isoformat(), **query) == [old]


@pytest.mark.parametrize("day", ["nonsense", "2026-13-01", ""])
def test_invalid_day_filters_nothing(admin_client, day):
    made(1)
    assert len(shown(admin_client, day=day)) == 1


def test_waiting_messages_are_shown_however_old(admin_client, short):
    (old,) = made(99)
    made(1, 2, 3, 4, status="expired")
    assert shown(admin_client, status__exact="queued") == [old]


def test_backlog_of_one_stream_does_not_hide_another(admin_client, monkeypatch):
    monkeypatch.setattr(message_search, "MOST_FOUND", 3)
    made(1, 2, 3, 4, 4, stream="bulk")
    (critical,) = made(5, stream="critical")
    assert shown(admin_client, status__exact="queued", stream__exact="critical") == [critical]


@pytest.mark.parametrize(
    "query", [{"status__exact": "queued", "stream__exact": "x"}, {"status__exact": "x"}, {"o": "99"}]
)
def test_forged_filters_cause_no_error(admin_client, query):
    assert admin_client.get(MESSAGES, query).status_code in {200, 302}


def test_search_finds_old_messages(admin_client, short):
    (old,) = made(99, to_address="ada@example.com")
    made(1, 2, 3, 4, status="expired")
    for query in ("ada@example.com", "Ada@Exam", " ada\u200b@example.com ", str(old.id)):
        assert shown(admin_client, q=query) == [old]
    assert shown(admin_client, q="example.com") == []


def test_events_are_found_by_their_message_and_by_their_fields(admin_client):
    (message,) = made(1, to_address="ada@example.com")
    ours = ProviderEvent.objects.create(provider="ses", event_id="1", payload={}, message=message)
    foreign = ProviderEvent.objects.create(
        provider="ses", event_id="2", payload={}, recipient="eve@example.com", provider_message_id="their-id"
    )
    message.delivery_attempts.create(number=1, provider="ses", result="accepted", provider_message_id="our-id")
    url = reverse("admin:notifications_providerevent_changelist")
    for query in ("ada@", str(message.id), "our-id"):
        assert shown(admin_client, url, q=query) == [ours]
    for query in ("eve", "their-id"):
        assert shown(admin_client, url, q=query) == [foreign]


def test_users_are_found_by_address_and_name_and_staff_however_old(admin_client, admin_user, short):
    type(admin_user).objects.filter(pk=admin_user.pk).update(date_joined=Now() - timedelta(days=900))
    people = [UserFactory(name=name) for name in ("Ada Lovelace", "Grace", "Linus", "Ken")]
    url = reverse("admin:accounts_user_changelist")
    assert shown(admin_client, url, q="ada l") == [people[0]]
    assert shown(admin_client, url, q=people[1].email) == [people[1]]
    assert shown(admin_client, url, is_staff__exact="1") == [admin_user]


def test_selection_of_all_pages_acts_on_the_list(admin_client, short):
    messages = made(1, 2, 3, 4, 5, status="expired", kind="password-changed")
    fields = {"action": "send_again_selected", "_selected_action": [messages[0].id], "select_across": "1"}
    page = admin_client.post(MESSAGES, fields)
    assert {proposal.message.id for proposal in page.context["found"]} == {message.id for message in messages[:3]}
    assert not Message.objects.filter(resend_of__isnull=False).exists()


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("address", ["ada@example.com", '"<b>\'&"@example.com'])
def test_checkbox_of_a_row_is_the_same_as_in_other_lists(language, address):
    message = MessageFactory(to_address=address)
    changelist = site.get_model_admin(Message)
    with translation.override(language):
        ours, djangos = changelist.action_checkbox(message), ModelAdmin.action_checkbox(changelist, message)
    assertHTMLEqual(ours, djangos)


LISTS = [f"{model._meta.app_label}_{model._meta.model_name}" for model in site._registry]
FILTERS = (
    *("q", "day", "kind", "kind__exact", "status", "status__exact", "outcome__exact", "stream__exact", "provider"),
    *("error_fingerprint", "state__exact", "reason__exact", "task_name", "user", "o", "p"),
)


@pytest.mark.parametrize("name", [name for name in LISTS if not name.startswith("auth_")])
def test_list_refuses_a_nul_also_in_a_project_without_the_sites_middleware(admin_client, settings, name):
    settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if not one.startswith("config.")]
    url = reverse(f"admin:{name}_changelist")
    for parameter in FILTERS:
        for value in ("\x00", "a\x00b", "to:a\x00b"):
            assert admin_client.get(url, {parameter: value}).status_code in {200, 302}
