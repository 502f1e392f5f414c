"""Uncertain messages in the admin: an operator with permission settles them once, and the log shows it."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from notifications.admin.uncertain import CHOICES, NEEDS_DECISION, next_step
from notifications.models import DeliveryAttempt, Message
from notifications.outbox import settle
from notifications.rules.states import Status
from notifications.support.reasons import reason_in_words
from tests.factories import MessageFactory

pytestmark = pytest.mark.django_db
LIST = reverse("admin:notifications_uncertainmessage_changelist")
SETTLE_MANY = reverse("admin:notifications_uncertainmessage_settle_many")
ACTS = {"sent": settle.mark_sent, "again": settle.send_again, "drop": settle.drop}
ENDS = {"sent": Status.SENT, "again": Status.QUEUED, "drop": Status.CANCELLED}
ACTIONS = {"sent": "mark_sent_selected", "again": "send_again_selected", "drop": "drop_selected"}


def detail(message):
    return reverse("admin:notifications_message_change", args=[message.id])


def settle_url(message):
    return reverse("admin:notifications_uncertainmessage_settle", args=[message.id])


def post(client, choice, *messages):
    return client.post(
        SETTLE_MANY, {choice: "pressed", "messages": " ".join(str(one.id) for one in messages)}, follow=True
    )


def reported(page):
    """The last message to the operator: its level and its figures."""
    message = list(page.context["messages"])[-1]
    return message.level_tag, re.findall(r"\d+", str(message))


def fresh(message):
    return Message.objects.get(id=message.id)


@pytest.mark.parametrize("choice", ACTS)
def test_settled_message_names_the_operator(choice):
    message = MessageFactory(uncertain=True)
    assert ACTS[choice](message, "ada@example.com")
    after = fresh(message)
    assert (after.status, after.settle_at) == (ENDS[choice], None)
    assert after.status_reason.endswith("by ada@example.com")
    assert (after.sent_at is not None) == (choice == "sent")


@pytest.mark.parametrize("choice", ACTS)
@pytest.mark.parametrize("status", set(Status) - {Status.UNCERTAIN, Status.SENDING})
def test_message_that_is_not_uncertain_is_not_settled(choice, status):
    message = MessageFactory(status=status, sent_at=Now() if status == Status.SENT else None)
    before = Message.objects.values().get(id=message.id)
    assert not ACTS[choice](message, "ada@example.com")
    assert Message.objects.values().get(id=message.id) == before


@pytest.mark.parametrize("choice", ACTS)
def test_message_that_a_worker_sends_is_not_settled(choice):
    message = MessageFactory(sending=True)
    assert not ACTS[choice](message, "ada@example.com")
    assert fresh(message).status == Status.SENDING


def test_second_copy_is_due_immediately():
    message = MessageFactory(uncertain=True, relayed=9)
    settle.send_again(message, "ada@example.com")
    after = fresh(message)
    assert (after.uncertain_resends, after.relayed, after.attempts) == (1, 0, 1)
    assert Message.objects.filter(due_at__lte=Now(), relay_after__lte=Now()).exists()


def test_list_shows_the_next_step_of_each_message(admin_client):
    resent = MessageFactory(uncertain=True, provider="ses")
    DeliveryAttempt.objects.create(message=resent, number=1, provider="ses", result="ambiguous")
    MessageFactory(uncertain=True, kind="product-news")
    MessageFactory(uncertain=True, settle_at=None)
    other = MessageFactory()
    page = admin_client.get(LIST).content.decode()
    assert page.count(f">{NEEDS_DECISION}<") == 2
    assert detail(resent) in page
    assert detail(other) not in page


def test_next_step_names_no_time_that_has_passed():
    now = timezone.now()
    passed, later = (fresh(MessageFactory(uncertain=True, settle_at=now + timedelta(hours=hours))) for hours in (-1, 1))
    assert date_format(timezone.localtime(later.settle_at), "DATETIME_FORMAT") in next_step(later)
    assert date_format(timezone.localtime(passed.settle_at), "DATETIME_FORMAT") not in next_step(passed)


@pytest.mark.parametrize("query", ["?kind=welcome", "?provider=ses", "?q=person", "?o=3", "?o=4"])
def test_list_can_be_narrowed_down_and_ordered(admin_client, query):
    message = MessageFactory(uncertain=True, provider="ses")
    assert detail(message) in admin_client.get(LIST + query).content.decode()


@pytest.mark.parametrize("choice", ACTIONS)
def test_action_asks_first(admin_client, choice):
    chosen = MessageFactory.create_batch(2, uncertain=True)
    page = admin_client.post(LIST, {"action": ACTIONS[choice], "_selected_action": [one.id for one in chosen]})
    text = page.content.decode()
    assert all(one.to_address in text for one in chosen)
    assert page.context["choices"] == [(choice, CHOICES[choice])]
    assert [name for name in CHOICES if f'name="{name}"' in text] == [choice]
    assert {fresh(one).status for one in chosen} == {Status.UNCERTAIN}


@pytest.mark.parametrize("choice", ACTS)
def test_post_settles_and_counts_the_others(admin_client, admin_user, choice):
    messages = [MessageFactory(uncertain=True), MessageFactory(uncertain=True), MessageFactory()]
    page = post(admin_client, choice, *messages)
    assert reported(page) == ("success", ["2", "3", "1"])
    assert [fresh(one).status for one in messages[:2]] == [ENDS[choice]] * 2
    assert {entry.object_id for entry in LogEntry.objects.filter(user=admin_user)} == {
        str(one.pk) for one in messages[:2]
    }
    history = admin_client.get(reverse("admin:notifications_message_history", args=[messages[0].id]))
    assert str(CHOICES[choice].logged) in history.content.decode()


def test_settling_twice_settles_once(admin_client):
    message = MessageFactory(uncertain=True)
    post(admin_client, "again", message)
    assert reported(post(admin_client, "drop", message)) == ("warning", ["0", "1", "1"])
    assert fresh(message).status == Status.QUEUED
    assert LogEntry.objects.count() == 1


def test_timeline_says_who_marked_it_as_sent(admin_client, admin_user):
    message = MessageFactory(uncertain=True)
    page = post(admin_client, "sent", message).content.decode()
    reason = reason_in_words(fresh(message))
    assert admin_user.get_username() in reason
    assert reason in page[page.index("timeline-heading") :]


@pytest.mark.parametrize("choice", ["", "everything"])
def test_post_without_a_known_choice_only_asks(admin_client, choice):
    message = MessageFactory(uncertain=True)
    page = post(admin_client, choice, message)
    assert [name for name, _ in page.context["choices"]] == list(CHOICES)
    assert fresh(message).status == Status.UNCERTAIN


def test_message_page_offers_to_settle_it(admin_client, staff):
    message, other = MessageFactory(uncertain=True), MessageFactory()
    assert settle_url(message) in admin_client.get(detail(message)).content.decode()
    assert settle_url(other) not in admin_client.get(detail(other)).content.decode()
    assert settle_url(message) not in staff("view_message").get(detail(message)).content.decode()
    assert [row[0].id for row in admin_client.get(settle_url(message)).context["rows"]] == [message.id]
    assert 'type="submit" name=' not in admin_client.get(settle_url(other)).content.decode()


@pytest.mark.parametrize("permissions", [(), ("view_message",), ("settle_message",)])
def test_operator_without_permission_to_settle_is_refused(staff, permissions):
    message, client = MessageFactory(uncertain=True), staff(*permissions)
    assert client.get(settle_url(message)).status_code == 403
    assert client.post(SETTLE_MANY, {"drop": "Drop", "messages": str(message.id)}).status_code == 403
    client.post(LIST, {"action": "drop_selected", "_selected_action": [message.id]})
    assert fresh(message).status == Status.UNCERTAIN


def test_get_changes_nothing(admin_client):
    message = MessageFactory(uncertain=True)
    before = list(Message.objects.values())
    for path in (LIST, f"{settle_url(message)}?drop=Drop", SETTLE_MANY):
        admin_client.get(path, follow=True)
    assert list(Message.objects.values()) == before
