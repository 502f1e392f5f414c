"""With a staging guard, no provider gets an email to a recipient whom the guard does not let through."""

from dataclasses import replace

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from notifications.delivery.forecast import forecasts
from notifications.delivery.guarding import ORIGINAL_TO, apply_guard
from notifications.delivery.relevance import NOT_IN_ONLY_TO
from notifications.delivery.render import render
from notifications.events import ingest
from notifications.events.apply import read_due
from notifications.models import DeliveryAttempt, Message, ProviderEvent, Suppression
from notifications.providers.base.compose import compose
from notifications.providers.base.sending import About, ProviderError
from notifications.providers.base.webhook import RawEvent
from notifications.rules.addresses import NamedAddress
from notifications.rules.outcomes import BounceKind, Outcome
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Status, Stream
from tests.factories import MessageFactory, UserFactory
from tests.notifications.delivery.delivering import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

BOX = "box@dev.example"


def to(address, **fields):
    return MessageFactory(user=UserFactory(email=address), **fields)


def after(message):
    message.refresh_from_db()
    return message


def test_only_listed_recipients_get_email(provider, settings):
    settings.ONLY_TO = ["ada@example.com", "shop.example"]
    ada, eve, bob = to("ada@example.com"), to("eve@shop.example"), to("bob@example.com")
    run(ada, eve, bob)
    assert [email.to_address for email in provider.taken] == ["ada@example.com", "eve@shop.example"]
    assert all(ORIGINAL_TO not in email.headers for email in provider.taken)
    assert (after(bob).status, bob.status_reason, bob.attempts) == (Status.CANCELLED, NOT_IN_ONLY_TO, 0)
    assert forecasts([bob])[bob.id].resend.reason == NOT_IN_ONLY_TO


def test_all_email_is_redirected_and_says_to_whom_it_was(provider, settings):
    settings.REDIRECT_TO = BOX
    message = to("ada@example.com")
    run(message)
    (email,) = provider.taken
    assert (email.to_address, email.headers[ORIGINAL_TO]) == (BOX, "ada@example.com")
    assert (after(message).status, message.to_address) == (Status.SENT, "ada@example.com")
    assert BOX in DeliveryAttempt.objects.get().error


def test_listed_recipients_get_email_and_all_others_are_redirected(provider, settings):
    settings.ONLY_TO, settings.REDIRECT_TO = ["ada@example.com"], BOX
    run(to("ada@example.com"), to("bob@example.com"))
    assert {email.to_address: email.headers.get(ORIGINAL_TO) for email in provider.taken} == {
        "ada@example.com": None,
        BOX: "bob@example.com",
    }


def test_batch_is_guarded_like_single_emails(batching, settings):
    settings.ONLY_TO, settings.REDIRECT_TO = ["ada@example.com"], BOX
    messages = [to(f"{name}@example.com", stream=Stream.BULK) for name in ("ada", "bob", "eve")]
    assert run(*messages, stream=Stream.BULK).counts == {"sent": 3}
    assert batching.batches == [3]
    assert [(email.to_address, email.headers.get(ORIGINAL_TO)) for email in batching.taken] == [
        ("ada@example.com", None),
        (BOX, "bob@example.com"),
        (BOX, "eve@example.com"),
    ]
    notes = dict(DeliveryAttempt.objects.values_list("message__to_address", "error"))
    assert notes["ada@example.com"] == ""
    assert BOX in notes["bob@example.com"]
    assert {after(message).status for message in messages} == {Status.SENT}


def test_refusal_of_a_redirected_email_suppresses_nothing(provider, settings):
    settings.REDIRECT_TO = BOX
    provider.script.append(
        ProviderError(ErrorClass.PERMANENT, "gone", about=About.RECIPIENT, bounce=BounceKind.HARD),
    )
    message = to("ada@example.com")
    run(message)
    assert after(message).status == Status.DEAD
    assert not Suppression.objects.exists()
    assert not ProviderEvent.objects.exists()


@pytest.mark.usefixtures("reporting")
@pytest.mark.parametrize("reported", ["Box@Dev.example", ""])
def test_report_about_a_redirected_email_is_about_its_own_recipient(settings, reported):
    settings.REDIRECT_TO = BOX
    message = to("ada@example.com", status=Status.SENT, sent_at=Now())
    payload = {"id": "1", "kind": "bounced", "bounce": "hard", "message": str(message.id), "recipient": reported}
    ingest.store("scripted", [RawEvent("1", payload)])
    read_due()
    assert after(message).outcome == Outcome.BOUNCED
    assert list(Suppression.objects.values_list("address", flat=True)) == [BOX]


@pytest.mark.usefixtures("reporting")
@pytest.mark.parametrize(
    ("reported", "outcome", "suppressed"),
    [(BOX, Outcome.BOUNCED, BOX), ("carla@shop.example", Outcome.UNKNOWN, "carla@shop.example")],
)
def test_report_about_several_recipients_is_about_the_one_it_names(settings, reported, outcome, suppressed):
    settings.ONLY_TO, settings.REDIRECT_TO = ["shop.example"], BOX
    message = to("ada@example.com", status=Status.SENT, sent_at=Now(), has_content=True)
    payload = {"id": "1", "kind": "bounced", "bounce": "hard", "message": str(message.id), "recipient": reported}
    ingest.store("scripted", [RawEvent("1", payload)])
    read_due()
    assert after(message).outcome == outcome
    assert list(Suppression.objects.values_list("address", flat=True)) == [suppressed]


@pytest.mark.usefixtures("reporting")
@pytest.mark.parametrize("has_content", [False, True])
@pytest.mark.parametrize(("before", "after_"), [(BOX, ""), ("", BOX), (BOX, "other@dev.example")])
def test_report_is_about_the_address_that_got_the_email_whatever_the_guard_is_now(
    provider, settings, before, after_, has_content
):
    settings.REDIRECT_TO = before
    message = to("ada@example.com")
    run(message)
    went_to = provider.taken[0].to_address
    Message.objects.update(has_content=has_content)
    settings.REDIRECT_TO = after_
    payload = {"id": "1", "kind": "bounced", "bounce": "hard", "message": str(message.id), "recipient": went_to}
    ingest.store("scripted", [RawEvent("1", payload)])
    read_due()
    assert list(Suppression.objects.values_list("address", flat=True)) == [went_to]


@pytest.mark.parametrize("guard", [{"ONLY_TO": ["shop.example"]}, {"REDIRECT_TO": BOX}])
def test_guard_costs_no_statement(provider, settings, django_assert_num_queries, guard):
    run(to("ada@shop.example"))
    message = to("bob@shop.example")
    with django_assert_num_queries(4):
        run(message)
    for name, value in guard.items():
        setattr(settings, name, value)
    message = to("eve@shop.example")
    with django_assert_num_queries(4):
        run(message)


def test_admin_shows_the_guard_and_what_it_did(provider, settings, admin_client):
    settings.REDIRECT_TO = BOX
    message = to("ada@example.com")
    run(message)
    page = admin_client.get(reverse("admin:notifications_message_change", args=[message.id])).content.decode()
    assert "guarded-email" in page
    assert page.count(BOX) >= 2
    settings.REDIRECT_TO = ""
    page = admin_client.get(reverse("admin:notifications_message_change", args=[message.id])).content.decode()
    assert "guarded-email" not in page
    assert BOX in page


def named(*addresses):
    return [NamedAddress(address) for address in addresses]


@pytest.mark.parametrize(
    ("first", "cc", "bcc", "expected", "header"),
    [
        # The address of the guard is among the recipients.
        ("ada@example.com", ["Box@dev.example"], [], (BOX, [], []), "ada@example.com"),
        (BOX, ["bob@example.com"], [], (BOX, [], []), "bob@example.com"),
        ("eve@shop.example", ["bob@example.com"], [BOX], ("eve@shop.example", [], [BOX]), "bob@example.com"),
        # Hidden recipients stay hidden from those who do get the email.
        ("eve@shop.example", [], ["bob@example.com"], ("eve@shop.example", [BOX], []), None),
        ("ada@example.com", ["eve@shop.example"], ["b@c.example"], (BOX, ["eve@shop.example"], []), "ada@example.com"),
        ("ada@example.com", [], ["bob@example.com"], (BOX, [], []), "ada@example.com, bob@example.com"),
    ],
)
def test_each_address_gets_a_redirected_email_once(settings, first, cc, bcc, expected, header):
    settings.ONLY_TO, settings.REDIRECT_TO = ["shop.example"], BOX
    email = replace(render(to(first), attempt=1), cc=named(*cc), bcc=named(*bcc))
    sent = apply_guard(email)
    assert (sent.to_address, [one.address for one in sent.cc], [one.address for one in sent.bcc]) == expected
    assert sent.headers.get(ORIGINAL_TO) == header
    assert all(address in compose(sent).recipients() for address in {expected[0], *expected[1], *expected[2]})


def test_message_of_a_real_provider_has_the_header(settings):
    settings.REDIRECT_TO = BOX
    email = compose(apply_guard(render(to("ada@example.com"), attempt=1))).message()
    assert BOX in email["To"]
    assert email[ORIGINAL_TO] == "ada@example.com"
