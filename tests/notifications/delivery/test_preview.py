"""A preview shows what was sent, says when it cannot, and never has a secret."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings as django_settings
from django.db.models.functions import Now
from django.utils import timezone, translation

from accounts import emails
from accounts.models import User
from notifications import kinds
from notifications.delivery.fingerprint import Fingerprint
from notifications.delivery.preview import Likeness, Missing, NoPreviewError, likeness_of, render_again
from notifications.delivery.render import render
from notifications.models import DeliveryAttempt, Message
from notifications.providers.base.sending import ProviderError
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Status, Stream
from tests.factories import MessageFactory, UserFactory
from tests.notifications.delivery.delivering import run
from tests.notifications.delivery.prepared.rendering import message as example
from tests.notifications.delivery.prepared.rendering import templates

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey", "provider")]

TOKEN = re.compile(r"[0-9a-z]{5,}-[0-9a-f]{20,}")
WITH_SECRETS = [name for name, kind in kinds.KINDS.items() if kind.secrets]


def message_of(name, **fields):
    kind = kinds.get(name)
    user = UserFactory(name="Ada", new_email="new@example.com" if name == "address-change" else "")
    if not kind.to_unconfirmed:
        User.objects.filter(pk=user.pk).update(confirmed_at=timezone.now())
        user.refresh_from_db()
    address = kind.address(user)
    return MessageFactory(
        kind=name, stream=kind.stream, user=user, to_address=address, context=kind.preview_context, **fields
    )


def sent(name):
    message = message_of(name)
    assert run(message, stream=Stream(message.stream)).counts == {"sent": 1}
    return fresh(message)


def fresh(message):
    return Message.objects.get(pk=message.pk)


def reason_for_none(message):
    with pytest.raises(NoPreviewError) as found:
        render_again(message)
    return found.value.reason


@pytest.mark.parametrize("name", [kind.name for kind in kinds.with_templates()])
def test_every_kind_is_shown_exactly_as_sent(name, provider):
    message = sent(name)
    shown = render_again(message)
    assert shown.likeness is Likeness.EXACT
    (email,) = provider.taken
    assert shown.content.subject == email.subject
    assert len(shown.content.text.splitlines()) == len(email.text.splitlines())
    assert (shown.content.text == email.text) is (name not in WITH_SECRETS and message.stream != Stream.BULK)


@pytest.mark.parametrize("name", WITH_SECRETS)
def test_preview_has_no_token_and_creates_none(name, provider, monkeypatch):
    message = sent(name)
    (email,) = provider.taken
    assert TOKEN.search(email.text)
    assert TOKEN.search(email.html)
    created = []
    spied = replace(kinds.get(name), secrets=dict.fromkeys(kinds.get(name).secrets, created.append))
    monkeypatch.setitem(kinds.KINDS, name, spied)
    shown = render_again(message)
    assert shown.likeness is Likeness.EXACT
    assert not any(map(TOKEN.search, shown.content))
    assert created == []


@pytest.mark.parametrize("name", WITH_SECRETS)
def test_fingerprint_is_independent_of_the_token(name):
    message, texts, found = message_of(name), set(), set()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(2):
            texts.add(render(message, attempt=1).text)
            found.add(message.fingerprint)
            clock.shift(timedelta(minutes=5))
    assert len(texts) == 2
    assert len(found) == 1


def test_broken_template_that_is_not_included_keeps_no_email_from_being_sent():
    html = '{% if broken %}{% include "broken.html" %}{% endif %}<p>Text</p>'
    with templates(html=html, others={"broken.html": "{% nonsense %}"}):
        assert "Text" in render(example(broken=False), attempt=1).html


def test_fingerprint_is_kept_with_refused_attempts_too(provider):
    provider.script.append(ProviderError(ErrorClass.PERMANENT, "scripted", "as scripted"))
    message = message_of("welcome")
    run(message)
    attempt = DeliveryAttempt.objects.get()
    assert Fingerprint.parse(attempt.fingerprint).language == "en"
    assert render_again(fresh(message)).likeness is Likeness.NOT_SENT


def test_each_message_of_a_batch_has_the_fingerprint_of_its_email(batching):
    messages = [message_of("product-news") for _ in range(3)]
    User.objects.filter(pk=messages[0].user_id).update(language="de")
    run(*map(fresh, messages), stream=Stream.BULK)
    assert batching.batches == [2]
    languages = {render_again(fresh(message)).language for message in messages}
    assert {render_again(fresh(message)).likeness for message in messages} == {Likeness.EXACT}
    assert languages == {"en", "de"}


def test_email_is_shown_in_the_language_it_had():
    message = sent("welcome")
    User.objects.filter(pk=message.user_id).update(language="de")
    with translation.override("de"):
        shown = render_again(fresh(message))
    assert (shown.language, shown.likeness) == ("en", Likeness.EXACT)


def test_email_that_was_not_sent_is_shown_in_the_recipient_s_language(provider):
    provider.script.append(ProviderError(ErrorClass.PERMANENT, "scripted", "as scripted"))
    message = message_of("welcome")
    run(message)
    User.objects.filter(pk=message.user_id).update(language="de")
    assert render_again(fresh(message)).language == "de"


def test_email_to_an_address_that_was_confirmed_since_is_shown_without_the_name():
    message = sent("welcome")
    User.objects.filter(pk=message.user_id).update(confirmed_at=Now())
    shown = render_again(fresh(message))
    assert shown.likeness is Likeness.EXACT
    assert "Ada" not in shown.content.text


def test_changed_account_is_noticed():
    message = sent("password-changed")
    User.objects.filter(pk=message.user_id).update(name="Grace")
    assert render_again(fresh(message)).likeness is Likeness.DATA_CHANGED


@pytest.mark.parametrize("part", ["subject", "text", "html", "others"])
def test_changed_template_is_noticed(part):
    layout = {"emails/part.txt": "Part"}
    files = {"text": '{% include "emails/part.txt" %}', "others": layout}
    changes = {"subject": "New", "text": "New", "html": "<p>New</p>", "others": {"emails/part.txt": "New"}}
    message = example()
    with templates(**files):
        render(message, attempt=1)
        kept = Fingerprint.parse(message.fingerprint)
    with templates(**files | {part: changes[part]}):
        render(message, attempt=1)
        found = Fingerprint.parse(message.fingerprint)
    assert likeness_of(Status.SENT, kept, [found]) is Likeness.TEMPLATE_CHANGED


KEPT = Fingerprint("en", "t", "r")


@pytest.mark.parametrize(
    ("status", "kept", "found", "likeness"),
    [
        (Status.SENT, KEPT, [KEPT], Likeness.EXACT),
        (Status.UNCERTAIN, KEPT, [KEPT], Likeness.EXACT),
        (Status.SENT, KEPT, [KEPT._replace(templates="other")], Likeness.EXACT),
        (Status.SENT, KEPT, [KEPT._replace(rendering="other"), KEPT], Likeness.EXACT),
        (Status.SENT, KEPT, [KEPT._replace(rendering="other")], Likeness.DATA_CHANGED),
        (Status.SENT, KEPT, [Fingerprint("en", "other", "other")], Likeness.TEMPLATE_CHANGED),
        (Status.SENT, None, [KEPT], Likeness.UNKNOWN),
        *(
            (status, KEPT, [KEPT], Likeness.NOT_SENT)
            for status in Status
            if status not in {Status.SENT, Status.UNCERTAIN}
        ),
    ],
)
def test_likeness(status, kept, found, likeness):
    assert likeness_of(status, kept, found) is likeness


def test_attempt_of_the_release_before_has_no_fingerprint():
    message = sent("welcome")
    DeliveryAttempt.objects.update(fingerprint="")
    assert render_again(fresh(message)).likeness is Likeness.UNKNOWN


def test_changed_secret_key_of_the_site_changes_nothing(settings):
    message = sent("welcome")
    settings.SECRET_KEY_FALLBACKS = [django_settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-of-the-site" * 3
    assert render_again(message).likeness is Likeness.EXACT


def test_kind_that_does_not_declare_its_secrets_has_no_preview(monkeypatch, provider):
    monkeypatch.setitem(kinds.KINDS, "welcome", replace(emails.WELCOME, secrets=None, context=_old_context))
    message = sent("welcome")
    assert TOKEN.search(provider.taken[0].text)
    assert DeliveryAttempt.objects.get().fingerprint == ""
    assert reason_for_none(message) is Missing.UNKNOWN_SECRETS


def _old_context(user):
    return emails.confirmation_context(user) | {"confirmation_url": emails.confirmation_url(user)}


def test_message_that_cannot_be_rendered_has_no_preview(monkeypatch):
    message = message_of("welcome")
    monkeypatch.setitem(kinds.KINDS, "welcome", replace(emails.WELCOME, context=lambda user: {"x": 1 / 0}))
    assert reason_for_none(message) is Missing.BROKEN
    monkeypatch.delitem(kinds.KINDS, "welcome")
    assert reason_for_none(message) is Missing.UNKNOWN_KIND


def test_message_without_its_recipient_has_no_preview():
    assert reason_for_none(MessageFactory(user=None, to_address="ada@example.com")) is Missing.NO_ACCOUNT
    anonymized = MessageFactory(user=None, to_address="", anonymized_at=Now())
    assert reason_for_none(anonymized) is Missing.ANONYMIZED


def test_deleting_the_account_deletes_the_fingerprint():
    message = sent("welcome")
    User.objects.get(pk=message.user_id).delete()
    assert DeliveryAttempt.objects.get().fingerprint == ""
