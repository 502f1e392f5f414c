"""Messages in the admin: an operator with permission resends them once, and the log shows it."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import escape
from django_celery_results.models import TaskResult

from accounts.models import User
from notifications import pauses
from notifications.events import suppress
from notifications.models import DeliveryAttempt, Message, ProviderEvent
from notifications.outbox import Draft, enqueue
from notifications.rules.outcomes import EventType
from notifications.rules.states import Status
from notifications.rules.suppression import Reason
from notifications.support.reasons import reason_in_words
from tests.factories import MessageFactory, UserFactory
from tests.notifications.admin.pressing import RESEND_MANY, levels, made, press, resend_url, retrying_later

pytestmark = pytest.mark.django_db
Result = DeliveryAttempt.Result
LIST = reverse("admin:notifications_message_changelist")


def detail(message):
    return reverse("admin:notifications_message_change", args=[message.id])


def ended(**fields):
    return MessageFactory(**{"status": Status.SENT, "sent_at": Now()} | fields)


def resent():
    return Message.objects.filter(resend_of__isnull=False).count()


def test_confirmation_page_changes_nothing(admin_client):
    message = MessageFactory()
    page = admin_client.get(resend_url(message))
    assert page.status_code == 200
    assert message.to_address in page.content.decode()
    assert not resent()


def test_post_makes_a_new_message_linked_to_the_old_one(admin_client, admin_user):
    old = MessageFactory(status=Status.EXPIRED)
    answer = admin_client.post(resend_url(old), {"request_id": uuid4(), "do": "resend.sends"})
    new = Message.objects.get(resend_of=old)
    assert answer["Location"] == detail(new)
    assert (new.status, new.to_address, new.kind, new.user) == (Status.QUEUED, old.to_address, old.kind, old.user)
    old.refresh_from_db()
    assert old.status == Status.EXPIRED
    entry = LogEntry.objects.get()
    assert (entry.user_id, entry.object_id) == (admin_user.pk, str(old.pk))
    assert str(new.id) in entry.get_change_message()


def test_submitting_the_page_twice_resends_once(admin_client):
    message, request_id = ended(), uuid4()
    fields = {"request_id": request_id, "do": "resend.sent-before"}
    admin_client.post(resend_url(message), fields, follow=True)
    page = admin_client.post(resend_url(message), fields, follow=True)
    assert "success" not in levels(page)
    assert Message.objects.filter(resend_of=message).count() == 1


def test_timeline_shows_attempts_and_events_in_order(admin_client):
    message = MessageFactory(status=Status.SENT, sent_at=Now(), provider="ses", attempts=2)
    for number, result in ((1, "ambiguous"), (2, "accepted")):
        DeliveryAttempt.objects.create(
            message=message, number=number, provider="ses", result=result, recorded_at=Now() + timedelta(seconds=number)
        )
    event = ProviderEvent.objects.create(
        provider="ses",
        event_id="1",
        payload={"their": "words"},
        message=message,
        kind="bounced",
        bounce="soft",
        detail="mailbox full",
        received_at=Now() + timedelta(seconds=3),
    )
    page = admin_client.get(detail(message)).content.decode()
    page = page[page.index("timeline-heading") :]
    labels = [Result.AMBIGUOUS.label, Result.ACCEPTED.label, EventType.BOUNCED.label, "mailbox full"]
    places = [page.index(str(label)) for label in labels]
    assert places == sorted(places)
    assert "mailbox full" in page
    raw = admin_client.get(reverse("admin:notifications_providerevent_change", args=[event.pk])).content.decode()
    assert "words" in raw


def test_payload_of_an_event_has_a_line_for_each_value(admin_client):
    payload = {"type": "Bounce", "bounce": {"to": "grüße@example.com"}}
    event = ProviderEvent.objects.create(provider="ses", event_id="1", payload=payload)
    page = admin_client.get(reverse("admin:notifications_providerevent_change", args=[event.pk])).content.decode()
    assert escape(json.dumps(payload, indent=2, ensure_ascii=False)) in page


def test_only_a_message_that_waits_can_be_retried(admin_client):
    due, later = made(Status.QUEUED), retrying_later()
    held = retrying_later(slowed_until=Now() + timedelta(hours=1))
    offered = [resend_url(each) in admin_client.get(detail(each)).content.decode() for each in (due, later, held)]
    assert offered == [False, True, False]


def test_times_have_one_format(admin_client, settings):
    settings.LANGUAGE_CODE = "de"
    message = MessageFactory(created_at=Now() - timedelta(days=1))
    message.refresh_from_db()
    page = admin_client.get(detail(message)).content.decode()
    created = date_format(timezone.localtime(message.created_at), "d.m.Y H:i:s")
    assert page.count(created) >= 2
    assert f"{message.created_at:%Y-%m-%d}" not in page


def test_timeline_shows_the_reason_of_the_status(admin_client):
    suppress.suppress("ada@example.com", Reason.COMPLAINT, "")
    message = enqueue(Draft(kind="welcome", to="ada@example.com"))
    page = admin_client.get(detail(message)).content.decode()
    assert reason_in_words(message) in page[page.index("timeline-heading") :]


def test_events_of_one_request_are_in_the_providers_order(admin_client):
    message = MessageFactory(status=Status.SENT, sent_at=Now())
    for number, kind in enumerate(["accepted", "deferred", "delivered"]):
        ProviderEvent.objects.create(
            provider="ses",
            event_id=kind,
            payload={},
            message=message,
            kind=kind,
            received_at=message.created_at,
            occurred_at=timezone.now() + timedelta(seconds=number),
        )
    page = admin_client.get(detail(message)).content.decode()
    page = page[page.index("timeline-heading") :]
    places = [page.index(str(kind.label)) for kind in (EventType.ACCEPTED, EventType.DEFERRED, EventType.DELIVERED)]
    assert places == sorted(places)


def test_action_asks_first_and_then_resends_all(admin_client):
    chosen = [ended(), ended(), ended()]
    page = admin_client.post(LIST, {"action": "send_again_selected", "_selected_action": [one.id for one in chosen]})
    assert all(one.to_address in page.content.decode() for one in chosen)
    assert not resent()
    answer = press(admin_client, *chosen)
    assert {each.message.resend_of for each in answer.context["followed"]} == set(chosen)
    assert LogEntry.objects.count() == 3


@pytest.mark.parametrize("permissions", [(), ("view_message",), ("resend_message",)])
def test_operator_without_permission_is_refused(staff, permissions):
    message, client = ended(), staff(*permissions)
    assert client.get(resend_url(message)).status_code == 403
    fields = {"request_id": uuid4(), "do": "resend.sent-before"}
    assert client.post(resend_url(message), fields).status_code == 403
    assert client.post(RESEND_MANY, fields | {"messages": message.id}).status_code == 403
    client.post(LIST, {"action": "send_again_selected", "_selected_action": [message.id]})
    assert not resent()


def test_button_is_shown_to_operators_with_permission(staff):
    message = ended()
    assert resend_url(message) in staff("view_message", "resend_message").get(detail(message)).content.decode()
    assert resend_url(message) not in staff("view_message").get(detail(message)).content.decode()


def test_visitor_is_sent_to_the_log_in(client):
    assert "/admin/login/" in client.post(resend_url(ended()), {"request_id": uuid4()})["Location"]
    assert not resent()


@pytest.mark.parametrize(
    "fields", [{}, {"request_id": "x", "do": "resend.sends"}, {"request_id": str(uuid4()), "messages": "x"}]
)
def test_forged_post_is_refused(admin_client, fields):
    page = admin_client.post(RESEND_MANY, fields, follow=True)
    assert levels(page) in (["error"], ["warning"])


def test_message_of_a_removed_kind_is_not_resent(admin_client):
    message = ended(kind="long-gone")
    page = admin_client.post(resend_url(message), {"request_id": uuid4(), "do": "resend.sends"}, follow=True)
    assert set(levels(page)) == {"warning"}
    assert not resent()


def test_get_changes_nothing(admin_client):
    message = MessageFactory()
    before = list(Message.objects.values())
    for path in (LIST, detail(message), resend_url(message), RESEND_MANY):
        admin_client.get(path, follow=True)
    assert list(Message.objects.values()) == before


def test_messages_cannot_be_added_changed_or_deleted(admin_client):
    message = MessageFactory()
    assert admin_client.get(reverse("admin:notifications_message_add")).status_code == 403
    assert admin_client.post(detail(message), {"to_address": "eve@example.com"}).status_code == 403
    assert admin_client.post(f"{detail(message)[:-7]}delete/", {"post": "yes"}).status_code in {403, 404}
    message.refresh_from_db()
    assert message.to_address != "eve@example.com"


@pytest.mark.parametrize("by", ["address", "id"])
def test_search_finds_by_address_and_id(admin_client, by):
    message, other = MessageFactory(), MessageFactory()
    query = {"address": message.to_address, "id": str(message.id)}[by]
    page = admin_client.get(LIST, {"q": query}).content.decode()
    assert detail(message).replace("/change/", "") in page
    assert detail(other).replace("/change/", "") not in page


@pytest.mark.parametrize(
    "query",
    [{"status": "dead"}, {"kind": "welcome"}, {"stream": "bulk"}, {"provider": "ses"}, {"created_at__day": "1"}],
)
def test_list_can_be_filtered(admin_client, query):
    MessageFactory()
    assert admin_client.get(f"{LIST}?{query}", follow=True).status_code == 200


def test_attempts_are_shown_and_lead_to_the_task(admin_client):
    message = MessageFactory()
    result = TaskResult.objects.create(task_id=str(message.id), status="SUCCESS")
    DeliveryAttempt.objects.create(
        message=message, number=1, provider="ses", result="transient", error="later", task_id=result.task_id
    )
    page = admin_client.get(detail(message)).content.decode()
    assert "later" in page
    assert reverse("admin:django_celery_results_taskresult_change", args=[result.pk]) in page


def test_hostile_context_is_shown_and_not_run(admin_client):
    message = MessageFactory(context={"note": "<script>alert(1)</script>"}, user=UserFactory(name="<b>x</b>"))
    page = admin_client.get(detail(message)).content.decode()
    assert "<script>alert(1)" not in page


def test_message_outlives_its_user(admin_client):
    message = MessageFactory()
    User.objects.filter(pk=message.user_id).delete()
    assert admin_client.get(detail(message)).status_code == 200


@pytest.mark.parametrize("codenames", [("view_message",), ("view_message", "view_providerevent")])
def test_timeline_links_an_event_only_for_staff_who_may_view_it(staff, codenames):
    event = ProviderEvent.objects.create(provider="ses", event_id="1", payload={}, message=MessageFactory())
    url = reverse("admin:notifications_providerevent_change", args=[event.pk])
    page = staff(*codenames).get(reverse("admin:notifications_message_change", args=[event.message_id]))
    assert (url in page.text) is ("view_providerevent" in codenames)


def test_page_reads_the_attempts_for_all_its_parts_together(admin_client, settings, django_assert_max_num_queries):
    settings.FLOWER_URL = "http://flower.example.com"
    message = ended(user=UserFactory())
    for number in (1, 2):
        message.delivery_attempts.create(
            number=number, provider="ses", result=Result.ACCEPTED, task_id=f"task-{number}"
        )
    # Nothing that is kept between requests: the pauses, the content types.
    pauses.forget()
    ContentType.objects.clear_cache()
    with django_assert_max_num_queries(15) as captured:
        page = admin_client.get(detail(message)).content.decode()
    assert "http://flower.example.com/task/task-2" in page
    # The table of attempts reads them again.
    read = [query for query in captured.captured_queries if 'FROM "notifications_deliveryattempt"' in query["sql"]]
    assert len(read) <= 2
