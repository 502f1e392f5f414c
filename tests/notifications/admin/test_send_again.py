"""Each message is sent again as its verdict says, by the verb that fits, or not."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models.functions import Now
from django.urls import reverse

from notifications import pauses
from notifications.admin.verdicts import Verb, Verdict, Wait, verdict_in_words
from notifications.bounce_brake import brake
from notifications.events import suppress
from notifications.models import Message, Pause, Suppression
from notifications.rules.states import Status
from notifications.rules.suppression import Reason
from tests.factories import MessageFactory, UserFactory
from tests.notifications.admin.pressing import (
    ended,
    levels,
    made,
    press,
    proposed,
    resend_url,
    resends,
    retrying_later,
    shown,
    waits,
)
from tests.notifications.breaker.breakers import open_circuit

pytestmark = pytest.mark.django_db


def complained():
    message = ended()
    suppress.suppress(message.to_address, Reason.COMPLAINT, "")
    return message


def unsubscribed():
    message = ended(kind="product-news", stream="bulk")
    suppress.suppress(message.to_address, Reason.UNSUBSCRIBED, "")
    return message


def closed():
    message = ended()
    type(message.user).objects.filter(pk=message.user_id).update(is_active=False)
    return message


def without_new_address():
    # The address change was confirmed or given up since.
    return ended(kind="address-change")


def flooded():
    message = ended()
    MessageFactory.create_batch(20, kind=message.kind, user=message.user, status=Status.SENT, sent_at=Now())
    return message


def broken():
    # The text of an announcement is missing, and that killed it before.
    fingerprint = "rendering/MissingVariableError:headline"
    return made(Status.DEAD, kind="product-news", context={}, error_fingerprint=fingerprint)


NOT_SENT = {
    Verdict.SUPPRESSED: [complained, unsubscribed],
    Verdict.ACCOUNT_CLOSED: [closed],
    Verdict.ADDRESS_GONE: [without_new_address],
    Verdict.NO_ACCOUNT: [lambda: ended(user=None, to_address="gone@example.com")],
    Verdict.KIND_GONE: [lambda: ended(kind="long-gone")],
    Verdict.CONFIRMED: [lambda: ended(kind="welcome", user=UserFactory(confirmed_at=Now()))],
    Verdict.IRRELEVANT: [lambda: ended(kind="product-news", user=UserFactory(wants_news=False))],
    Verdict.FLOODED: [flooded],
    Verdict.BROKEN: [broken],
}


@pytest.mark.parametrize(
    ("verdict", "make"), [(verdict, make) for verdict, makers in NOT_SENT.items() for make in makers]
)
def test_message_that_would_be_skipped_is_not_resent(admin_client, verdict, make):
    message = make()
    assert proposed(message) == {(Verb.NONE, verdict)}
    fields = {"messages": str(message.id), "do": ["resend.sends", "resend.sent-before", f"none.{verdict}"]}
    page = press(admin_client, seen=fields)
    assert not resends(message)
    assert "success" not in levels(page)
    assert not LogEntry.objects.exists()


def test_copy_goes_to_the_current_address_of_the_account(admin_client):
    message = ended()
    type(message.user).objects.filter(pk=message.user_id).update(email="new@example.com")
    assert proposed(message) == {(Verb.RESEND, Verdict.TO_CURRENT_ADDRESS)}
    assert "new@example.com" in admin_client.get(resend_url(message)).content.decode()
    press(admin_client, message)
    assert Message.objects.get(resend_of=message).to_address == "new@example.com"
    assert message.to_address != "new@example.com"


def test_suppression_of_the_current_address_counts(admin_client):
    message = ended()
    type(message.user).objects.filter(pk=message.user_id).update(email="new@example.com")
    suppress.suppress(message.to_address, Reason.COMPLAINT, "")
    assert proposed(message) == {(Verb.RESEND, Verdict.TO_CURRENT_ADDRESS)}
    suppress.suppress("new@example.com", Reason.COMPLAINT, "")
    assert proposed(message) == {(Verb.NONE, Verdict.SUPPRESSED)}


def test_notice_to_the_old_address_keeps_it(admin_client):
    message = ended(kind="address-changed", to_address="old@example.com", context={"new_address": "x"})
    press(admin_client, message)
    assert Message.objects.get(resend_of=message).to_address == "old@example.com"


def bounced(**fields):
    message = made(Status.SUPPRESSED)
    Suppression.objects.create(**{"address": message.to_address, "reason": Reason.HARD_BOUNCE} | fields)
    return message


def test_suppression_is_lifted_and_the_message_resent_in_one_step(admin_client, admin_user):
    message = bounced()
    assert proposed(message) == {(Verb.LIFT, Verdict.SUPPRESSED)}
    assert levels(press(admin_client, message)) == ["success"]
    lifted = Suppression.objects.get()
    assert (lifted.lifted_by, lifted.lift_reason) == (admin_user, "asked by telephone")
    new = Message.objects.get(resend_of=message)
    assert new.status == Status.QUEUED
    assert Message.objects.filter(id=new.id, due_at__lte=Now()).exists()
    assert LogEntry.objects.count() == 2


def test_message_waits_until_the_address_is_off_the_list_of_the_provider(admin_client):
    message = bounced(provider="ses")
    press(admin_client, message)
    assert Message.objects.filter(resend_of=message, due_at__gt=Now(), relay_after__gt=Now()).exists()


def test_lift_needs_a_reason(admin_client):
    message = bounced()
    for why in (" ", "a\0b", "x" * 301):
        assert "error" in levels(press(admin_client, message, why=why))
    assert Suppression.objects.get().lifted_at is None
    assert not resends(message)


@pytest.mark.parametrize("missing", ["view_suppression", "lift_suppression", "resend_message"])
def test_lift_and_resend_needs_both_permissions(staff, missing):
    message = bounced()
    granted = {"view_message", "view_suppression", "lift_suppression", "resend_message", "replay_message"} - {missing}
    press(staff(*granted), message)
    assert Suppression.objects.get().lifted_at is None
    assert not resends(message)


def test_only_ticked_groups_are_sent_again(admin_client):
    fresh, again = made(Status.EXPIRED), ended()
    seen = shown(fresh, again)
    page = admin_client.get(resend_url(fresh)).context
    assert page["ticked"] == {"resend.sends"}
    press(admin_client, seen=seen | {"do": ["resend.sends"]})
    assert (resends(fresh), resends(again)) == (1, 0)


def test_second_copy_is_ticked_only_if_nothing_else_is_offered(admin_client):
    expired, sent = made(Status.EXPIRED), ended()
    assert admin_client.get(resend_url(sent)).context["ticked"] == {"resend.sent-before"}
    chosen = {"action": "send_again_selected", "_selected_action": [expired.id, sent.id]}
    page = admin_client.post(reverse("admin:notifications_message_changelist"), chosen)
    assert page.context["ticked"] == {"resend.sends"}


def test_each_message_gets_the_verb_that_fits(admin_client):
    messages = [made(Status.EXPIRED), made(Status.DEAD), retrying_later(), made(Status.UNCERTAIN), bounced()]
    assert {verb for verb, _ in proposed(*messages)} == set(Verb) - {Verb.NONE}
    assert levels(press(admin_client, *messages)) == ["success"]
    statuses = dict(Message.objects.filter(id__in=[one.id for one in messages]).values_list("id", "status"))
    assert [statuses[one.id] for one in messages[1:4]] == [Status.QUEUED] * 3
    assert [resends(one) for one in messages] == [1, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("codename", "status", "kept"),
    [("resend_message", Status.DEAD, 1), ("replay_message", Status.EXPIRED, 0), ("settle_message", Status.EXPIRED, 0)],
)
def test_operator_without_the_permission_of_a_verb_does_nothing_with_it(staff, codename, status, kept):
    message = made(status)
    page = press(staff("view_message", codename), message)
    assert "success" not in levels(page)
    message.refresh_from_db()
    assert message.status == status
    assert not resends(message)


def test_of_two_copies_of_one_email_one_is_sent_again(admin_client):
    original = ended()
    copy = ended(resend_of=original)
    assert (Verb.NONE, Verdict.IN_SELECTION) in proposed(original, copy)
    press(admin_client, original, copy)
    assert resends(original) + resends(copy) == 2


def test_of_two_messages_of_which_the_newest_wins_one_is_sent_again():
    user = UserFactory()
    messages = [made(Status.EXPIRED, kind="password-reset", user=user) for _ in range(2)]
    assert sorted(proposed(*messages)) == [(Verb.NONE, Verdict.IN_SELECTION), (Verb.RESEND, Verdict.SENDS)]


@pytest.mark.usefixtures("valkey", "provider")
def test_outage_of_all_providers_is_part_of_the_verdict():
    open_circuit("scripted")
    assert waits(made(Status.EXPIRED)) == {(Verdict.SENDS, Wait.PROVIDER)}
    assert waits(made(Status.SENT)) == {(Verdict.SENT_BEFORE, Wait.PROVIDER)}


@pytest.mark.parametrize("paused", [("stream", "default"), ("kind", "password-changed")])
def test_pause_is_part_of_the_verdict(paused):
    Pause.objects.create(what=paused[0], name=paused[1], reason="wrong text", by="ops")
    pauses.forget()
    assert waits(made(Status.EXPIRED), made(Status.DEAD)) == {(Verdict.SENDS, Wait.PAUSE)}
    moved = made(Status.SENT)
    type(moved.user).objects.filter(pk=moved.user_id).update(email="new@example.com")
    assert waits(moved) == {(Verdict.TO_CURRENT_ADDRESS, Wait.PAUSE)}
    bounced = ended()
    suppress.suppress(bounced.to_address, Reason.HARD_BOUNCE, "")
    assert waits(bounced) == {(Verdict.SUPPRESSED, Wait.PAUSE)}
    assert waits(complained(), made(Status.QUEUED)) == {(Verdict.SUPPRESSED, None), (Verdict.QUEUED, None)}
    pauses.forget()


def test_page_counts_apart_what_waits(admin_client):
    Pause.objects.create(what="kind", name="password-changed", reason="wrong text", by="ops")
    pauses.forget()
    seen = shown(made(Status.EXPIRED), made(Status.EXPIRED, kind="welcome"))
    page = press(admin_client, seen=seen | {"do": []}).content.decode()
    pauses.forget()
    assert verdict_in_words(Verdict.SENDS, Wait.PAUSE) in page
    assert 'data-group="resend.sends.pause"' in page
    assert 'data-group="resend.sends"' in page


def test_confirming_without_a_tick_says_so(admin_client):
    message = made(Status.EXPIRED)
    page = press(admin_client, message, do=[])
    assert levels(page) == ["warning"]
    assert not resends(message)


def test_bounce_brake_is_part_of_the_verdict(admin_client, monkeypatch):
    monkeypatch.setattr(brake, "is_on", lambda: True)
    message, other = made(Status.EXPIRED, kind="welcome"), made(Status.EXPIRED)
    assert waits(message, other) == {(Verdict.SENDS, Wait.BRAKE), (Verdict.SENDS, None)}
    press(admin_client, message, other)
    assert Message.objects.filter(resend_of=message, slowed_until__gt=Now()).exists()
    assert Message.objects.filter(resend_of=other, slowed_until=None).exists()
    later = Now() + timedelta(hours=1)
    assert proposed(made(Status.QUEUED, slowed_until=later, due_at=later)) == {(Verb.NONE, Verdict.HELD)}


def test_of_several_dead_copies_the_newest_is_replayed():
    original = made(Status.DEAD)
    newest = made(Status.DEAD, resend_of=original, created_at=Now() + timedelta(seconds=1))
    assert proposed(original) == {(Verb.NONE, Verdict.NEWER_COPY)}
    assert proposed(newest) == {(Verb.REPLAY, Verdict.SENDS)}


def test_page_counts_many_messages_and_lists_few(admin_client, django_assert_max_num_queries):
    messages = [made(Status.EXPIRED) for _ in range(60)] + [made(Status.QUEUED)]
    chosen = {"action": "send_again_selected", "_selected_action": [one.id for one in messages]}
    with django_assert_max_num_queries(20):
        page = admin_client.post(reverse("admin:notifications_message_changelist"), chosen)
    assert {group.key: group.count for group in page.context["groups"]} == {"resend.sends": 60, "none.queued": 1}
    assert page.context["rows"] == []
