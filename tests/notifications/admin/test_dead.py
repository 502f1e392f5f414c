"""Dead letters in the admin: listed by error, and replayed by operators with permission."""

import re
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models.functions import Now
from django.urls import reverse

from notifications.admin.dead import VERDICTS, DeadLetterAdmin
from notifications.delivery.replay import ReplayVerdict
from notifications.models import Message
from notifications.rules.states import Status
from tests.factories import MessageFactory

pytestmark = pytest.mark.django_db
LIST = reverse("admin:notifications_deadletter_changelist")
REPLAY_MANY = reverse("admin:notifications_deadletter_replay_many")


def dead(**fields):
    return MessageFactory(**{"status": Status.DEAD, "error_fingerprint": "ses/Rejected", "attempts": 2} | fields)


def detail(message):
    return reverse("admin:notifications_message_change", args=[message.id])


def replay_url(message):
    return reverse("admin:notifications_deadletter_replay", args=[message.id])


def action(*messages, **more):
    return {"action": "replay_selected", "_selected_action": [one.id for one in messages]} | more


def joined(messages):
    return {"messages": " ".join(str(one.id) for one in messages)}


def figures(message):
    return re.findall(r"\d[\d,]*", str(message))


def replayed():
    return Message.objects.filter(replays__gt=0).count()


@pytest.mark.parametrize(
    "query", ["", "?kind=welcome", "?error_fingerprint=ses/Rejected", "?provider=ses", "?q=person"]
)
def test_list_shows_only_dead_letters_and_links_to_their_messages(admin_client, query):
    message, alive = dead(provider="ses"), MessageFactory(provider="ses")
    page = admin_client.get(LIST + query).content.decode()
    assert detail(message) in page
    assert detail(alive) not in page
    assert "ses/Rejected" in page


def test_list_offers_the_errors_of_dead_letters(admin_client):
    dead(error_fingerprint="rendering/KeyError")
    dead(error_fingerprint="ses/Rejected")
    MessageFactory(status=Status.CANCELLED, error_fingerprint="expired")
    page = admin_client.get(LIST).content.decode()
    assert "?error_fingerprint=rendering%2FKeyError" in page
    assert "?error_fingerprint=ses%2FRejected" in page
    assert "?error_fingerprint=expired" not in page


def test_page_of_a_dead_letter_is_that_of_its_message(admin_client):
    message = dead()
    answer = admin_client.get(reverse("admin:notifications_deadletter_change", args=[message.id]))
    assert answer["Location"] == detail(message)


def test_action_shows_what_would_happen_and_changes_nothing(admin_client):
    messages = [dead(), dead(), dead(expires_at=Now())]
    answer = admin_client.post(LIST, action(*messages))
    page = answer.content.decode()
    assert (answer.context["tally"].relevant, answer.context["tally"].dead) == (2, 3)
    assert "ses/Rejected" in page
    assert all(str(message.id) in page for message in messages)
    assert not replayed()


def test_action_covers_all_pages_of_a_filtered_list(admin_client):
    MessageFactory.create_batch(60, status=Status.DEAD, error_fingerprint="ses/Rejected")
    other = dead(error_fingerprint="ses/Paused")
    page = admin_client.post(
        f"{LIST}?error_fingerprint=ses/Rejected", action(Message.objects.first(), select_across="1")
    )
    assert page.context["tally"].dead == 60
    admin_client.post(REPLAY_MANY, {"messages": page.context["ids"]})
    assert replayed() == 60
    other.refresh_from_db()
    assert other.status == Status.DEAD


def test_post_replays_relevant_messages_and_counts_the_others(admin_client, admin_user):
    messages = [dead(), dead(), dead(expires_at=Now()), dead(kind="long-gone"), MessageFactory()]
    page = admin_client.post(REPLAY_MANY, joined(messages), follow=True)
    assert page.redirect_chain[-1][0] == LIST
    (message,) = page.context["messages"]
    assert message.level_tag == "success"
    assert figures(message) == ["2", "5", "1", "1", "1"]
    assert {verdict for verdict, words in VERDICTS.items() if str(words) in str(message)} == {
        ReplayVerdict.EXPIRED,
        ReplayVerdict.BROKEN,
    }
    assert replayed() == 2
    entries = LogEntry.objects.all()
    assert {entry.object_id for entry in entries} == {str(one.pk) for one in messages[:2]}
    assert {(entry.user_id, entry.get_change_message()) for entry in entries} == {(admin_user.pk, "Replayed.")}
    history = admin_client.get(reverse("admin:notifications_message_history", args=[messages[0].id]))
    assert "Replayed." in history.content.decode()


def test_replaying_twice_replays_once(admin_client):
    message = dead()
    assert admin_client.post(REPLAY_MANY, joined([message]))["Location"] == detail(message)
    page = admin_client.post(REPLAY_MANY, joined([message]), follow=True)
    assert [(one.level_tag, figures(one)) for one in page.context["messages"]][-1] == ("warning", ["0", "1", "1"])
    message.refresh_from_db()
    assert message.replays == 1


def test_largest_choice_fits_into_a_post(admin_client):
    ids = [str(uuid4()) for _ in range(DeadLetterAdmin.most_chosen)]
    page = admin_client.post(REPLAY_MANY, {"messages": " ".join(ids)}, follow=True)
    assert [figures(message) for message in page.context["messages"]] == [["0", "5,000", "5,000"]]


def test_choice_over_the_limit_is_refused(admin_client, monkeypatch):
    monkeypatch.setattr(DeadLetterAdmin, "most_chosen", 2)
    messages = [dead(), dead(), dead()]
    page = admin_client.post(LIST, action(*messages), follow=True)
    assert [(message.level_tag, figures(message)) for message in page.context["messages"]] == [("error", ["2"])]
    admin_client.post(REPLAY_MANY, joined(messages))
    assert not replayed()


def test_message_page_shows_the_error_and_offers_a_replay(admin_client, staff):
    message = dead(replays=1)
    offer = reverse("admin:notifications_message_resend", args=[message.id])
    page = admin_client.get(detail(message)).content.decode()
    assert "ses/Rejected" in page
    assert offer in page
    assert offer in staff("view_message", "replay_message").get(detail(message)).content.decode()
    assert offer not in staff("view_message", "settle_message").get(detail(message)).content.decode()
    assert admin_client.get(replay_url(message)).context["tally"].relevant == 1


@pytest.mark.parametrize("permissions", [(), ("view_message",), ("replay_message",)])
def test_operator_without_permission_is_refused(staff, permissions):
    message, client = dead(), staff(*permissions)
    assert client.get(LIST).status_code == (200 if "view_message" in permissions else 403)
    assert client.get(replay_url(message)).status_code == 403
    assert client.post(REPLAY_MANY, joined([message])).status_code == 403
    client.post(LIST, action(message))
    assert not replayed()


def test_operator_with_permission_replays(staff):
    message, client = dead(), staff("view_message", "replay_message")
    assert client.get(LIST).status_code == 200
    client.post(REPLAY_MANY, joined([message]))
    assert replayed() == 1


@pytest.mark.parametrize("fields", [{}, {"messages": "x"}, {"messages": " "}])
def test_forged_post_is_refused(admin_client, fields):
    page = admin_client.post(REPLAY_MANY, fields, follow=True)
    assert [message.level_tag for message in page.context["messages"]] == ["error"]


def test_get_changes_nothing(admin_client):
    message = dead()
    before = list(Message.objects.values())
    for path in (LIST, replay_url(message), REPLAY_MANY):
        admin_client.get(path, follow=True)
    assert list(Message.objects.values()) == before


def test_dead_letters_cannot_be_added_or_deleted(admin_client):
    message = dead()
    assert admin_client.get(reverse("admin:notifications_deadletter_add")).status_code == 403
    assert admin_client.post(reverse("admin:notifications_deadletter_delete", args=[message.id])).status_code == 403


def test_visitor_is_sent_to_the_log_in(client):
    assert "/admin/login/" in client.post(REPLAY_MANY, joined([dead()]))["Location"]
    assert not replayed()
