"""A resend never adds a second email to one that may still arrive."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.db.models.functions import Now
from django.urls import reverse

from notifications.delivery.replay import ReplayVerdict, dead_letters, replay, replay_verdicts
from notifications.events import suppress
from notifications.models import Message
from notifications.outbox import NotResentError, resend, retry_now
from notifications.outbox.resend import Obstacle, resend_states
from notifications.rules.states import Status
from notifications.rules.suppression import Reason
from tests.notifications.admin.pressing import ended, levels, made, press, resends, retrying_later, shown

pytestmark = pytest.mark.django_db
OPEN = {Status.QUEUED: Obstacle.QUEUED, Status.SENDING: Obstacle.SENDING, Status.UNCERTAIN: Obstacle.UNCERTAIN}
ENDED = set(Status) - OPEN.keys()


@pytest.mark.parametrize("status", OPEN)
@pytest.mark.parametrize("others", [0, 1])
def test_message_that_may_still_arrive_is_not_resent(admin_client, status, others):
    message = made(status)
    stale = shown(ended())["do"]
    seen = shown(*[ended() for _ in range(others)])
    fields = {"messages": f"{seen['messages']} {message.id}", "do": ["resend.sends", *stale, *seen["do"]]}
    page = press(admin_client, seen=fields)
    assert not resends(message)
    assert "warning" in levels(page)


@pytest.mark.parametrize("status", OPEN)
def test_obstacle_is_the_status_of_the_message(status):
    message = made(status)
    with pytest.raises(NotResentError) as refused:
        resend(message, uuid4())
    assert refused.value.obstacle == OPEN[status]


@pytest.mark.parametrize("status", ENDED)
def test_ended_message_is_resent(admin_client, status):
    message = made(status)
    expected = 0 if status is Status.DEAD else 1
    assert levels(press(admin_client, message)) == ["success"]
    assert resends(message) == expected
    assert Message.objects.filter(status=Status.QUEUED, kind=message.kind).count() == 1


@pytest.mark.parametrize("status", OPEN)
@pytest.mark.parametrize("generation", [1, 2])
def test_message_with_a_copy_that_may_still_arrive_is_not_resent(status, generation):
    original = ended()
    parent = original if generation == 1 else ended(resend_of=original)
    copy = made(status, resend_of=parent)
    for message in (original, parent):
        state = resend_states([message])[message.id]
        assert (state.obstacle, state.at.id) == (OPEN[status], copy.id)


def test_two_operators_with_the_same_page_resend_once(admin_client):
    message = ended()
    seen = shown(message)
    press(admin_client, seen=seen)
    Message.objects.filter(resend_of=message).update(status=Status.SENT, sent_at=Now())
    page = press(admin_client, seen=seen)
    assert levels(page) == ["warning", "warning"]
    assert resends(message) == 1
    assert levels(press(admin_client, message)) == ["success"]
    assert resends(message) == 2


def test_pages_of_two_copies_of_one_email_count_as_one():
    original = ended()
    copy = ended(resend_of=original)
    new = resend(original, uuid4(), copies=2)
    Message.objects.filter(id=new.id).update(status=Status.SENT, sent_at=Now())
    with pytest.raises(NotResentError) as refused:
        resend(copy, uuid4(), copies=2)
    assert refused.value.obstacle == Obstacle.RESENT


@pytest.mark.django_db(transaction=True)
def test_simultaneous_resends_resend_once():
    original = ended()
    copy = ended(resend_of=original)
    together = Barrier(2)

    def press(message):
        together.wait(10)
        try:
            return resend(message, uuid4(), copies=2)
        except NotResentError as error:
            return error.obstacle
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as operators:
        results = list(operators.map(press, [original, copy]))
    assert len([result for result in results if isinstance(result, Message)]) == 1
    assert Message.objects.count() == 3


def test_dead_letter_with_fixed_templates_is_resent(admin_client):
    message = made(Status.DEAD, error_fingerprint="rendering/KeyError")
    assert levels(press(admin_client, message)) == ["success"]


def test_action_sends_again_what_it_can_and_reports_the_rest(admin_client):
    going, moved = [ended(), ended()], made(Status.EXPIRED)
    seen = shown(*going, moved)
    Message.objects.filter(id=moved.id).update(status=Status.QUEUED)
    page = press(admin_client, seen=seen)
    assert sorted(levels(page)) == ["success", "warning"]
    assert [resends(message) for message in (*going, moved)] == [1, 1, 0]


def test_message_that_waits_for_its_next_attempt_can_be_retried_now(admin_client):
    message = retrying_later()
    seen = shown(message)
    assert levels(press(admin_client, seen=seen)) == ["success"]
    assert Message.objects.filter(id=message.id, due_at__lte=Now(), relay_after__lte=Now()).exists()
    assert LogEntry.objects.get().object_id == str(message.id)
    assert "success" not in levels(press(admin_client, seen=seen))


@pytest.mark.parametrize("status", set(Status) - {Status.QUEUED})
def test_only_waiting_messages_are_retried(status):
    message = made(status, due_at=Now() + timedelta(hours=1))
    assert not retry_now.retry_now(message)


def test_slowed_message_is_not_retried():
    later = Now() + timedelta(minutes=5)
    message = retrying_later(due_at=later, slowed_until=later)
    assert not retry_now.retry_now(message)


@pytest.mark.parametrize("copy", [Status.QUEUED, Status.SENDING, Status.SENT, Status.UNCERTAIN])
def test_dead_letter_with_a_resend_is_not_replayed(copy):
    message = made(Status.DEAD)
    made(copy, resend_of=message)
    loaded = Message.objects.select_related("user").filter(id=message.id)
    assert replay_verdicts(loaded) == [(message, ReplayVerdict.RESENT)]
    assert replay(dead_letters(), dry_run=False).replayed == 0


def test_of_several_dead_copies_the_newest_is_replayed():
    original = made(Status.DEAD)
    newest = made(Status.DEAD, resend_of=original, created_at=Now() + timedelta(seconds=1))
    assert replay(dead_letters(), dry_run=False).replayed == 1
    assert Message.objects.get(replays=1) == newest


def test_replayed_dead_letter_is_not_resent_as_well():
    message = made(Status.DEAD)
    replay(dead_letters(), dry_run=False)
    with pytest.raises(NotResentError) as refused:
        resend(message, uuid4())
    assert refused.value.obstacle == Obstacle.QUEUED


def test_outdated_page_replays_nothing(admin_client):
    message = made(Status.DEAD)
    url = reverse("admin:notifications_deadletter_replay", args=[message.id])
    ids = admin_client.get(url).context["ids"]
    replay(dead_letters(), dry_run=False)
    Message.objects.filter(id=message.id).update(status=Status.DEAD, died_at=Now())
    admin_client.post(reverse("admin:notifications_deadletter_replay_many"), {"messages": ids})
    message.refresh_from_db()
    assert (message.status, message.replays) == (Status.DEAD, 1)


@pytest.mark.parametrize("button", ["sent", "again", "drop"])
def test_outdated_page_settles_nothing(admin_client, button):
    message = made(Status.UNCERTAIN)
    url = reverse("admin:notifications_uncertainmessage_settle", args=[message.id])
    ids = admin_client.get(url).context["ids"]
    Message.objects.filter(id=message.id).update(attempts=2)
    many = reverse("admin:notifications_uncertainmessage_settle_many")
    admin_client.post(many, {"messages": ids, button: "pressed"})
    message.refresh_from_db()
    assert message.status == Status.UNCERTAIN


@pytest.mark.parametrize("what", ["suppressed", "expired"])
def test_uncertain_message_that_would_not_go_out_is_not_sent_again(admin_client, what):
    message = made(Status.UNCERTAIN, **({"expires_at": Now()} if what == "expired" else {}))
    if what == "suppressed":
        suppress.suppress(message.to_address, Reason.COMPLAINT, "")
    url = reverse("admin:notifications_uncertainmessage_settle", args=[message.id])
    page = admin_client.post(url, {"again": "pressed"}, follow=True)
    message.refresh_from_db()
    assert message.status == Status.UNCERTAIN
    assert levels(page) == ["warning"]
