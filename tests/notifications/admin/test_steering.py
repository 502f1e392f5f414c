"""The steering page: who may act, what is asked first, what is done and logged."""

from datetime import timedelta

import pytest
import redis
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from notifications import pauses
from notifications.admin.large_lists import FORM_EXPIRED
from notifications.admin.steering import cancelling as cancel_act
from notifications.breaker import permits, store
from notifications.models import Message, Pause
from notifications.outbox.pausing import start_pause
from notifications.rules.states import Status
from tests.factories import MessageFactory
from tests.notifications.admin.test_german import english_in
from tests.notifications.breaker.breakers import open_circuit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

BY = {"by": "Ada", "reason": "wrong text"}
PAUSE = {"act": "pause", "target": "stream:bulk", "lasts": "", "reason": "wrong text"}
CANCEL = {"act": "cancel", "kind": "welcome", "why": "wrong text"}
CONFIRMED = {"confirmed": "1"}


@pytest.fixture
def operator(staff):
    return staff("view_message", "steer_email")


def url():
    return reverse("admin:notifications_steering")


def said(answer):
    return [str(message) for message in answer.context["messages"]]


def post(client, **fields):
    return client.post(url(), fields, follow=True)


def held():
    later = Now() + timedelta(hours=1)
    return MessageFactory(slowed_until=later, due_at=later, relay_after=later)


@pytest.mark.parametrize("codenames", [(), ("view_message",), ("steer_email",), ("resend_message", "view_message")])
def test_page_and_acts_need_both_permissions(staff, codenames):
    client = staff(*codenames)
    assert client.get(url()).status_code == 403
    assert post(client, **PAUSE, **CONFIRMED).status_code == 403
    assert not Pause.objects.exists()


def test_visitors_are_sent_to_the_log_in(client):
    assert client.get(url()).status_code == 302
    client.post(url(), PAUSE | CONFIRMED)
    assert not Pause.objects.exists()


def test_pause_is_asked_about_then_done_and_logged(operator):
    MessageFactory.create_batch(3, stream="bulk")
    asked = post(operator, **PAUSE)
    assert not Pause.objects.exists()
    assert any("3" in sentence for sentence in asked.context["question"].sentences)
    assert asked.context["question"].warning == ""
    fields = dict(asked.context["values"]) | {"act": asked.context["act"]}
    done = post(operator, **fields, **CONFIRMED)
    made = Pause.objects.get()
    assert (made.what, made.name, made.reason, made.until) == ("stream", "bulk", "wrong text", None)
    assert made.by.startswith("person")
    entry = LogEntry.objects.get()
    assert (entry.object_repr, entry.change_message) == ("bulk", said(done)[0])
    assert entry.change_message in done.content.decode()


def test_critical_stream_is_paused_with_a_warning(operator):
    asked = post(operator, **PAUSE | {"target": "stream:critical"})
    assert asked.context["question"].warning
    post(operator, **PAUSE | {"target": "stream:critical", "lasts": "1"}, **CONFIRMED)
    made = Pause.objects.get()
    assert made.until - made.since == timedelta(hours=1)


def test_question_names_the_provider_that_takes_over(operator, provider, second):
    asked = post(operator, **PAUSE | {"target": "provider:scripted"})
    assert "second" in asked.context["question"].sentences[0]
    start_pause("provider", "second", **BY)
    asked = post(operator, **PAUSE | {"target": "provider:scripted"})
    assert "second" not in asked.context["question"].sentences[0]


@pytest.mark.parametrize("fields", [{"reason": ""}, {"target": "stream:unknown"}, {"target": "kind:"}, {"lasts": "9"}])
def test_invalid_pause_shows_the_form_again(operator, fields):
    answer = post(operator, **PAUSE | fields, **CONFIRMED)
    assert answer.context["pause_form"].errors
    assert not Pause.objects.exists()


@pytest.mark.parametrize("act", ["resume", "close", "open"])
def test_invalid_act_without_a_form_says_so(operator, act):
    assert said(post(operator, act=act, **CONFIRMED)) == [str(FORM_EXPIRED)]


def test_second_pause_of_the_same_is_refused(operator):
    start_pause("stream", "bulk", **BY)
    done = post(operator, **PAUSE, **CONFIRMED)
    assert len(said(done)) == 1
    assert Pause.objects.count() == 1
    assert not LogEntry.objects.exists()


def test_pause_is_resumed_once(operator):
    paused = start_pause("stream", "bulk", **BY)
    MessageFactory(stream="bulk")
    fields = {"act": "resume", "pause": paused.id}
    asked = post(operator, **fields)
    assert any("1" in sentence for sentence in asked.context["question"].sentences)
    assert Pause.objects.in_force().exists()
    for _ in range(2):
        post(operator, **fields, **CONFIRMED)
    assert not Pause.objects.in_force().exists()
    assert LogEntry.objects.count() == 1


def test_circuit_is_closed_and_opened(operator, settings):
    settings.EMAIL_PROVIDERS = ["ses"]
    open_circuit("ses")
    fields = {"act": "close", "provider": "ses"}
    post(operator, **fields)
    assert store.current("ses")[0].is_open
    post(operator, **fields, **CONFIRMED)
    assert not store.current("ses")[0].is_open
    post(operator, act="open", provider="ses", confirmed="1")
    assert [state.state for state in permits.states()] == ["open"]
    assert LogEntry.objects.count() == 2


@pytest.mark.parametrize("act", ["open", "close"])
def test_circuit_is_unchanged_without_redis(operator, settings, monkeypatch, act):
    def fail(provider, rule):
        raise redis.ConnectionError

    settings.EMAIL_PROVIDERS = ["ses"]
    monkeypatch.setattr(store, "update_shared", fail)
    done = post(operator, act=act, provider="ses", confirmed="1")
    assert len(said(done)) == 1
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(("act", "status"), [("release", Status.QUEUED), ("drop", Status.CANCELLED)])
@pytest.mark.parametrize("domain", ["", "example.com"])
def test_queue_of_the_bounce_brake_is_released_or_dropped(operator, act, status, domain):
    message = held()
    assert post(operator, act=act, domain=domain).context["question"].sentences[0].count("1") == 1
    assert Message.objects.filter(slowed_until__gt=Now()).exists()
    post(operator, act=act, domain=domain, confirmed="1")
    assert not Message.objects.filter(slowed_until__gt=Now()).exists()
    message.refresh_from_db()
    assert message.status == status


def test_messages_are_cancelled_by_filter(operator):
    MessageFactory.create_batch(2)
    other = MessageFactory(kind="password-changed")
    asked = post(operator, **CANCEL)
    assert any("2" in sentence for sentence in asked.context["question"].sentences)
    assert not Message.objects.filter(status=Status.CANCELLED).exists()
    post(operator, **CANCEL, **CONFIRMED)
    assert Message.objects.get(status=Status.QUEUED) == other
    reasons = set(Message.objects.filter(status=Status.CANCELLED).values_list("status_reason", flat=True))
    assert len(reasons) == 1
    assert "wrong text" in reasons.pop()
    assert LogEntry.objects.count() == 1


def test_long_cancellation_asks_whether_to_go_on(operator, monkeypatch):
    monkeypatch.setattr(cancel_act, "LONGEST_S", 0.0)
    monkeypatch.setattr("notifications.outbox.cancelling.BATCH", 2)
    MessageFactory.create_batch(3)
    answer = post(operator, **CANCEL, **CONFIRMED)
    assert Message.objects.filter(status=Status.CANCELLED).count() == 2
    fields = dict(answer.context["values"]) | {"act": answer.context["act"]}
    post(operator, **fields, **CONFIRMED)
    assert Message.objects.filter(status=Status.CANCELLED).count() == 3


def test_filter_that_takes_too_long_to_find_a_message_is_left_to_the_command(operator, monkeypatch):
    monkeypatch.setattr(cancel_act, "LONGEST_S", 0.0)
    MessageFactory(kind="password-changed")
    answer = post(operator, **CANCEL, **CONFIRMED)
    assert "question" not in answer.context
    assert len(said(answer)) == 1
    assert not LogEntry.objects.exists()


def test_empty_filter_cancels_nothing(operator):
    MessageFactory()
    answer = post(operator, act="cancel", why="x", confirmed="1")
    assert answer.context["cancel_form"].non_field_errors()
    assert not Message.objects.filter(status=Status.CANCELLED).exists()


def test_unknown_act_does_nothing(operator):
    assert len(said(post(operator, act="other", confirmed="1"))) == 1


def test_scheduled_messages_are_listed_and_cancelled(operator, staff):
    later = Now() + timedelta(hours=1)
    message = MessageFactory(due_at=later, relay_after=later)
    MessageFactory()
    page = reverse("admin:notifications_scheduled")
    assert operator.get(page).context["scheduled"] == [message]
    assert message.to_address in operator.get(page).content.decode()
    assert [staff(*codenames).get(page).status_code for codenames in ([], ["view_message"])] == [403, 403]
    post(operator, act="cancel", is_scheduled="on", why="x", confirmed="1")
    assert Message.objects.get(status=Status.CANCELLED) == message


def test_latest_actions_survive_their_account(operator):
    post(operator, **PAUSE, **CONFIRMED)
    LogEntry.objects.update(user_id=10**9)
    entry, who = operator.get(url()).context["log"][0]
    assert entry.object_repr == "bulk"
    assert who


def test_every_page_of_the_admin_shows_what_is_paused(operator, staff):
    start_pause("stream", "bulk", **BY)
    for page in (reverse("admin:index"), reverse("admin:notifications_message_changelist"), url()):
        shown = operator.get(page).content.decode()
        assert "paused-email" in shown
        assert "wrong text" in shown
    assert "paused-email" not in staff().get(reverse("admin:index")).content.decode()


def test_note_costs_one_small_query_now_and_then(operator, monkeypatch):
    monkeypatch.setattr(pauses, "READ_EVERY_S", 3600.0)
    start_pause("stream", "bulk", **BY)
    with CaptureQueriesContext(connection) as captured:
        for _ in range(3):
            operator.get(reverse("admin:index"))
    assert sum("notifications_pause" in query["sql"] for query in captured.captured_queries) == 1


def test_pages_are_german(operator, settings):
    settings.LANGUAGE_CODE = "de"
    paused = start_pause("stream", "critical", **BY, lasts=timedelta(hours=1))
    held()
    assert english_in(operator.get(url())) == []
    assert english_in(operator.get(reverse("admin:notifications_scheduled"))) == []
    acts = [
        PAUSE,
        PAUSE | {"target": "kind:welcome"},
        PAUSE | {"target": "provider:simulator"},
        {"act": "resume", "pause": paused.id},
        {"act": "open", "provider": "simulator"},
        {"act": "close", "provider": "simulator"},
        {"act": "release", "domain": ""},
        {"act": "drop", "domain": "example.com"},
        CANCEL,
        {"act": "cancel", "why": ""},
        {"act": "other"},
    ]
    for fields in acts:
        assert english_in(post(operator, **fields)) == [], fields
        assert english_in(post(operator, **fields, **CONFIRMED)) == [], fields
    with translation.override("de"):
        assert str(Pause._meta.verbose_name) == "Pause"
