"""Messages are followed live: queued, sent, delivered, or why not."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from notifications.admin.following import MOST_FOLLOWED, ProgressStep, StepState, follow_url, is_final, steps
from notifications.models import Message
from notifications.rules.outcomes import Outcome
from notifications.rules.states import Status
from tests.notifications.admin.pressing import ended, made, press

PART = reverse("admin:notifications_message_follow_part")
DONE, CURRENT, FAILED, OPEN = StepState
CASES = [
    (Status.QUEUED, Outcome.UNKNOWN, [CURRENT, OPEN, OPEN], False),
    (Status.SENDING, Outcome.UNKNOWN, [DONE, CURRENT, OPEN], False),
    (Status.UNCERTAIN, Outcome.UNKNOWN, [DONE, CURRENT, OPEN], False),
    (Status.SENT, Outcome.UNKNOWN, [DONE, DONE, CURRENT], False),
    (Status.SENT, Outcome.DEFERRED, [DONE, DONE, CURRENT], False),
    (Status.SENT, Outcome.DELIVERED, [DONE, DONE, DONE], True),
    (Status.SENT, Outcome.COMPLAINED, [DONE, DONE, DONE], True),
    (Status.SENT, Outcome.BOUNCED, [DONE, DONE, FAILED], True),
    (Status.SENT, Outcome.REJECTED, [DONE, DONE, FAILED], True),
    *((status, Outcome.UNKNOWN, [DONE, FAILED, OPEN], True) for status in list(Status)[4:]),
]


@pytest.mark.parametrize(("status", "outcome", "states", "final"), CASES)
def test_steps(status, outcome, states, final):
    message = Message(status=status, outcome=outcome)
    assert [step.state for step in steps(message, reports=True)] == states
    assert is_final(message, reports=True, age_s=10) is final


def test_message_of_a_provider_without_reports_ends_when_it_is_sent():
    message = Message(status=Status.SENT)
    assert [step.state for step in steps(message, reports=False)] == [DONE, DONE]
    assert is_final(message, reports=False, age_s=0)


def test_steps_of_an_older_day_show_the_day():
    today, older = (ProgressStep(label="Sent", state=DONE, at=timezone.now() - timedelta(days=days)) for days in (0, 3))
    assert today.when.count(":") == 2
    assert older.when.startswith(f"{timezone.localtime(older.at):%Y-%m-%d} ")
    assert ProgressStep(label="Sent", state=OPEN).when == ""


def test_report_is_not_awaited_forever():
    assert is_final(Message(status=Status.SENT), reports=True, age_s=3600)


@pytest.mark.django_db
def test_part_refreshes_itself_until_the_message_has_ended(admin_client):
    message = made(Status.QUEUED)
    page = admin_client.get(reverse("admin:notifications_message_change", args=[message.id]))
    url = page.context["live_url"]
    assert f'data-live-url="{url}"' in page.content.decode()
    Message.objects.update(status=Status.SENT, sent_at=Now(), provider="ses")
    assert admin_client.get(url).context["live_url"] == url
    Message.objects.update(outcome=Outcome.DELIVERED)
    part = admin_client.get(url)
    assert 'data-outcome="delivered"' in part.content.decode()
    assert "data-live-url" not in part.content.decode()


@pytest.mark.django_db
def test_message_that_waits_shows_until_when(admin_client):
    later, now = made(Status.QUEUED, due_at=Now() + timedelta(hours=1)), made(Status.QUEUED)
    for message, waits in ((later, True), (now, False)):
        (followed,) = admin_client.get(PART, {"id": message.id}).context["followed"]
        assert bool(followed.due) is waits


@pytest.mark.django_db
def test_message_that_was_resent_alone_is_followed_on_its_page(admin_client):
    message = ended()
    page = press(admin_client, message)
    new = Message.objects.get(resend_of=message)
    assert page.redirect_chain[-1][0] == reverse("admin:notifications_message_change", args=[new.id])
    assert [each.message for each in page.context["followed"]] == [new]


@pytest.mark.django_db
def test_several_are_followed_together(admin_client):
    messages = [ended(), made(Status.DEAD)]
    page = press(admin_client, *messages)
    new = Message.objects.get(resend_of=messages[0])
    assert {each.message for each in page.context["followed"]} == {new, messages[1]}
    assert admin_client.get(page.context["live_url"]).status_code == 200


def test_too_many_are_not_followed():
    assert follow_url([]) == follow_url([uuid4() for _ in range(MOST_FOLLOWED + 1)]) == ""
    assert follow_url([uuid4(), uuid4()])


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["follow", "follow_part"])
def test_following_needs_the_permission_to_view(staff, client, name):
    message = made(Status.QUEUED)
    url = f"{reverse(f'admin:notifications_message_{name}')}?id={message.id}&id=x"
    assert staff("resend_message").get(url).status_code == 403
    assert client.get(url).status_code == 302
    page = staff("view_message").get(url)
    assert [each.message for each in page.context["followed"]] == [message]
    assert staff("view_message").post(url).status_code == 405


@pytest.mark.django_db
def test_part_takes_few_statements(admin_client, django_assert_max_num_queries):
    ids = [made(Status.QUEUED).id for _ in range(5)]
    with django_assert_max_num_queries(4):
        admin_client.get(PART, {"id": ids})
