"""Operators cancel queued messages: counts first, then once, with the reason in the log."""

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models.functions import Now
from django.urls import reverse

from notifications.admin import cancelling
from notifications.admin.cancelling import CancelVerdict, cancel_verdict
from notifications.models import Message
from notifications.outbox.cancel import cancel_many
from notifications.rules.states import Status
from notifications.support.reasons import reason_in_words
from tests.factories import MessageFactory
from tests.notifications.admin.pressing import levels, made

pytestmark = pytest.mark.django_db
LIST = reverse("admin:notifications_message_changelist")
CANCEL_MANY = reverse("admin:notifications_message_cancel_many")
TOO_LATE = {Status.UNCERTAIN: CancelVerdict.TOO_LATE} | dict.fromkeys(
    set(Status) - {Status.QUEUED, Status.SENDING, Status.UNCERTAIN}, CancelVerdict.ENDED
)


def cancel_url(message):
    return reverse("admin:notifications_message_cancel", args=[message.id])


def statuses(*messages):
    found = dict(Message.objects.values_list("id", "status"))
    return [found[message.id] for message in messages]


@pytest.mark.parametrize(
    ("status", "handed_over", "verdict"),
    [
        (Status.QUEUED, False, CancelVerdict.CANCELS),
        (Status.SENDING, False, CancelVerdict.STOPS_WORKER),
        (Status.SENDING, True, CancelVerdict.TOO_LATE),
        *((status, False, verdict) for status, verdict in TOO_LATE.items()),
    ],
)
def test_verdict(status, handed_over, verdict):
    assert cancel_verdict(status, handed_over=handed_over) == verdict


def test_page_counts_and_changes_nothing(admin_client):
    chosen = [made(Status.QUEUED), made(Status.QUEUED), made(Status.SENT), made(Status.UNCERTAIN)]
    page = admin_client.post(LIST, {"action": "cancel_selected", "_selected_action": [one.id for one in chosen]})
    assert [count for _, count in page.context["counts"]] == [2, 1, 1]
    assert set(page.context["going"]) == {one.id for one in chosen[:2]}
    assert statuses(*chosen) == [one.status for one in chosen]


def test_page_with_nothing_to_cancel_has_no_button(admin_client):
    page = admin_client.get(cancel_url(made(Status.SENT))).content.decode()
    assert "submit" not in page[page.index('class="confirmation"') :].partition("submit-row")[2]


def test_queued_message_is_cancelled_once_with_the_reason(admin_client, admin_user):
    message = made(Status.QUEUED)
    page = admin_client.post(cancel_url(message), {"why": "wrong text"}, follow=True)
    assert levels(page) == ["success"]
    message.refresh_from_db()
    assert message.status == Status.CANCELLED
    assert "wrong text" in reason_in_words(message)
    assert admin_user.get_username() in reason_in_words(message)
    entry = LogEntry.objects.get()
    assert (entry.user_id, entry.object_id) == (admin_user.pk, str(message.id))
    assert "wrong text" in entry.get_change_message()
    assert levels(admin_client.post(cancel_url(message), {"why": "again"}, follow=True)) == ["warning"]
    assert LogEntry.objects.count() == 1


@pytest.mark.parametrize("status", TOO_LATE)
def test_message_that_a_provider_may_have_is_not_cancelled(admin_client, status):
    message = made(status)
    assert levels(admin_client.post(cancel_url(message), {"why": "late"}, follow=True)) == ["warning"]
    assert statuses(message) == [status]
    assert 'type="submit"' not in admin_client.get(cancel_url(message)).content.decode().partition("submit-row")[2]


def test_worker_loses_a_cancelled_message_unless_it_was_handed_over():
    held, handed_over = MessageFactory(sending=True), MessageFactory(sending=True, handed_over_at=Now())
    assert cancel_many([held.id, handed_over.id], "wrong text") == [held.id]
    assert statuses(held, handed_over) == [Status.CANCELLED, Status.SENDING]


def test_many_are_cancelled_in_batches(admin_client, monkeypatch):
    monkeypatch.setattr(cancelling, "BATCH", 2)
    messages = [made(Status.QUEUED) for _ in range(5)]
    page = admin_client.post(
        CANCEL_MANY, {"messages": " ".join(str(one.id) for one in messages), "why": "x"}, follow=True
    )
    assert levels(page) == ["success"]
    assert set(statuses(*messages)) == {Status.CANCELLED}
    assert LogEntry.objects.count() == 5


@pytest.mark.parametrize("fields", [{}, {"why": " "}, {"why": "x" * 151}])
def test_cancelling_needs_a_reason(admin_client, fields):
    message = made(Status.QUEUED)
    assert admin_client.post(cancel_url(message), fields).status_code == 200
    assert statuses(message) == [Status.QUEUED]


def test_button_is_shown_to_operators_with_permission(staff):
    queued, sent = made(Status.QUEUED), made(Status.SENT)
    shown = {one: reverse("admin:notifications_message_change", args=[one.id]) for one in (queued, sent)}
    operator, viewer = staff("view_message", "cancel_message"), staff("view_message", "resend_message")
    assert cancel_url(queued) in operator.get(shown[queued]).content.decode()
    assert cancel_url(sent) not in operator.get(shown[sent]).content.decode()
    assert cancel_url(queued) not in viewer.get(shown[queued]).content.decode()


def test_action_is_refused_without_permission(staff):
    message, client = made(Status.QUEUED), staff("view_message", "resend_message")
    client.post(LIST, {"action": "cancel_selected", "_selected_action": [message.id]})
    assert client.post(CANCEL_MANY, {"messages": message.id, "why": "x"}).status_code == 403
    assert statuses(message) == [Status.QUEUED]
