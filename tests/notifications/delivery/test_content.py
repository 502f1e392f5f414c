"""What an email contains, and what it must not store or reveal."""

import re

import pytest
from django.utils import timezone

from notifications import kinds
from notifications.delivery.render import render
from notifications.models import DeliveryAttempt, Message
from tests.factories import MessageFactory, UserFactory
from tests.notifications.delivery.delivering import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def to_confirmed(name, **changes):
    """Make a message to a confirmed address."""
    user = UserFactory(name=name, confirmed_at=timezone.now())
    return MessageFactory(**{"kind": "password-changed", "user": user} | changes)


@pytest.mark.parametrize("kind", [kind.name for kind in kinds.KINDS.values() if kind.requires_account])
def test_name_is_not_in_email_to_an_address_that_is_not_confirmed(kind):
    """Anyone can sign up with another person's address, under any name."""
    user = UserFactory(name="Advertisement", new_email="new@example.com")
    email = render(MessageFactory(kind=kind, user=user, context=kinds.KINDS[kind].preview_context), attempt=1)
    assert "Advertisement" not in f"{email.to_name} {email.subject} {email.text} {email.html}"


def test_name_is_not_in_email_to_the_new_address_of_an_account_either():
    user = UserFactory(name="Advertisement", new_email="new@example.com", confirmed_at=timezone.now())
    email = render(MessageFactory(kind="address-change", user=user, to_address="new@example.com"), attempt=1)
    assert "Advertisement" not in f"{email.to_name} {email.subject} {email.text} {email.html}"


def test_email_contains_a_new_link(provider):
    message = MessageFactory()
    run(message)
    (email,) = provider.taken
    assert (email.to_address, email.attempt) == (message.to_address, 1)
    assert "http://127.0.0.1:8000/confirm/" in email.text
    assert "http://127.0.0.1:8000/confirm/" in email.html
    assert email.headers["Auto-Submitted"] == "auto-generated"
    assert email.headers["Message-ID"] == f"<{message.id}@mailroom.example>"
    assert "\n" not in email.subject


@pytest.mark.parametrize(
    ("sender", "domain"),
    [
        ("Mailroom <hello@bücher.example>", "xn--bcher-kva.example"),
        ("hello@Mail.Example", "mail.example"),
        ('"Mailroom, Inc." <hello@mail.example> ', "mail.example"),
    ],
)
def test_message_id_has_the_senders_domain_in_ascii(provider, settings, sender, domain):
    settings.DEFAULT_FROM_EMAIL = sender
    message = MessageFactory()
    run(message)
    assert provider.taken[0].headers["Message-ID"] == f"<{message.id}@{domain}>"


def test_no_token_is_stored_anywhere(provider):
    message = MessageFactory()
    run(message)
    token = provider.taken[0].text.split("/confirm/")[1].split()[0].split("/")[1]
    rows = [*Message.objects.values(), *DeliveryAttempt.objects.values()]
    assert token
    assert token not in str(rows)


def test_text_is_not_escaped_and_html_is(provider):
    message = to_confirmed("<b>Ada & Co</b>")
    run(message)
    (email,) = provider.taken
    assert email.to_name == "<b>Ada & Co</b>"
    assert "Hi <b>Ada & Co</b>," in email.text
    assert "&lt;b&gt;Ada &amp; Co&lt;/b&gt;" in email.html


def test_styles_are_inlined_and_dark_mode_is_kept(provider):
    run(MessageFactory())
    html = provider.taken[0].html
    assert html.startswith("<!DOCTYPE html>")
    assert re.search(r'<a class="button"[^>]*style="[^"]*background', html)
    assert "prefers-color-scheme: dark" in html
    assert "!important" in html.partition("prefers-color-scheme")[2].partition("</style>")[0]
