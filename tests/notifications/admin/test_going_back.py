"""A confirmation leads back to where the operator came from: a message's page, or a list with its filters."""

import re

import pytest
from django.urls import reverse
from django.utils.html import escape

from notifications.admin.confirmed import LIST_FILTERS
from notifications.admin.next_step import PAGES
from notifications.admin.suppression import OF_MESSAGE
from notifications.models import Suppression
from notifications.rules.states import Status
from notifications.rules.suppression import Reason
from notifications.support.diagnosis import NextStep
from tests.factories import MessageFactory, UserFactory
from tests.notifications.admin.pressing import made, shown

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey", "provider")]

# By act: its list, the action of the list, the status of its messages, and what does it.
ACTS = {
    "cancel": ("message", "cancel_selected", Status.QUEUED, {"why": "wrong text"}),
    "resend": ("message", "send_again_selected", Status.SENT, {}),
    "replay": ("deadletter", "replay_selected", Status.DEAD, {}),
    "settle": ("uncertainmessage", "drop_selected", Status.UNCERTAIN, {"drop": "1"}),
}
FILTERS = "kind=password-changed&q=example%2B"


def message_url(message):
    return reverse("admin:notifications_message_change", args=[message.id])


def list_url(act):
    return reverse(f"admin:notifications_{ACTS[act][0]}_changelist")


def closing_link(page):
    (found,) = re.findall(r'<a class="closelink"\s+href="([^"]*)"', page.content.decode())
    return found


def asked(client, act, message):
    return client.get(reverse(f"admin:notifications_{ACTS[act][0]}_{act}", args=[message.id]))


def chosen(client, act, messages, filters=FILTERS):
    fields = {"action": ACTS[act][1], "_selected_action": [message.id for message in messages]}
    return client.post(f"{list_url(act)}?{filters}", fields)


def done(client, act, messages, **fields):
    ids = " ".join(str(message.id) for message in messages)
    url = reverse(f"admin:notifications_{ACTS[act][0]}_{act}_many")
    return client.post(url, {"messages": ids, **ACTS[act][3], **fields})


@pytest.mark.parametrize("act", ACTS)
def test_confirmation_of_one_message_leads_back_to_it(admin_client, act):
    message = made(ACTS[act][2])
    page = asked(admin_client, act, message)
    assert closing_link(page) == message_url(message)
    assert LIST_FILTERS not in page.content.decode()


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("filters", ["", FILTERS])
def test_confirmation_of_a_list_leads_back_to_it_with_its_filters(admin_client, act, filters):
    query = f"?{filters.replace('%2B', '')}" if filters else ""
    messages = [made(ACTS[act][2], to_address="example@example.com") for _ in range(2)]
    for some in (messages, messages[:1]):
        page = chosen(admin_client, act, some, query.removeprefix("?"))
        assert closing_link(page) == escape(list_url(act) + query)
        assert page.context[LIST_FILTERS] == query.removeprefix("?")


@pytest.mark.parametrize("act", set(ACTS) - {"resend"})
def test_act_leads_back_too(admin_client, act):
    one, other = made(ACTS[act][2]), made(ACTS[act][2])
    assert done(admin_client, act, [one]).url == message_url(one)
    fields = {LIST_FILTERS: FILTERS}
    assert done(admin_client, act, [other], **fields).url == f"{list_url(act)}?{FILTERS}"


def test_resend_that_did_nothing_leads_back_too(admin_client):
    message = made(Status.SENT)
    seen = shown(message) | {"request_id": "not an id"}
    url = reverse("admin:notifications_message_resend_many")
    assert admin_client.post(url, seen).url == message_url(message)
    assert admin_client.post(url, seen | {LIST_FILTERS: FILTERS}).url == f"{list_url('resend')}?{FILTERS}"


@pytest.mark.parametrize("act", ACTS)
def test_confirmation_without_a_message_leads_back_too(admin_client, act):
    message = made(Status.SENDING)
    assert closing_link(asked(admin_client, act, message)) == message_url(message)


def test_filters_stay_within_the_list(admin_client):
    message = made(Status.QUEUED)
    for filters in ("//evil.example", "\r\nLocation: https://evil.example", "a=b#c", "a=%ff"):
        answer = done(admin_client, "cancel", [message], **{LIST_FILTERS: filters})
        assert answer.status_code == 302
        assert answer.url.startswith(f"{list_url('cancel')}?") or answer.url == list_url("cancel")


def test_lift_leads_back_to_the_message_that_led_to_it(admin_client):
    user = UserFactory()
    message = MessageFactory(status=Status.SUPPRESSED, user=user, to_address=user.email)
    suppression = Suppression.objects.create(address=user.email, reason=Reason.HARD_BOUNCE)
    lift = reverse(f"admin:{PAGES[NextStep.LIFT_SUPPRESSION].name}", args=[suppression.pk])
    page = reverse("admin:notifications_suppression_change", args=[suppression.pk])
    assert closing_link(admin_client.get(lift)) == page
    assert closing_link(admin_client.get(lift, {OF_MESSAGE: "//evil.example"})) == page

    with_message = f"{lift}?{OF_MESSAGE}={message.id}"
    assert with_message in admin_client.get(message_url(message)).content.decode()
    assert closing_link(admin_client.get(with_message)) == message_url(message)
    assert admin_client.post(with_message, {"why": "asked by telephone"}).url == message_url(message)
    # Another operator was faster.
    assert closing_link(admin_client.get(with_message)) == message_url(message)
