"""The message's page says why it has not arrived, what to do next, and what to answer the user."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import translation

from notifications import kinds
from notifications.admin.next_step import PAGES
from notifications.delivery import relevance
from notifications.events import suppress
from notifications.models import Message
from notifications.outbox import Draft, enqueue
from notifications.outbox.cancel import BY_APPLICATION, CANCELLED_BY
from notifications.outbox.pausing import start_pause
from notifications.rules.outcomes import Outcome
from notifications.rules.states import Status, Stream
from notifications.rules.suppression import DECIDED_BY_RECIPIENT, Reason
from notifications.runtime.heartbeat import beat, served_key
from notifications.runtime.redis_client import client
from notifications.support.answer import BY_REASON, ENDED, answer_of
from notifications.support.diagnosis import NextStep, Situation
from notifications.support.explain import LIFT_IF_WANTED, STEPS_IN_WORDS, explain
from notifications.support.reasons import reason_in_words
from notifications.support.sentences import PLAIN
from tests.factories import MessageFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey", "provider")]


def page(browser, message):
    return browser.get(reverse("admin:notifications_message_change", args=[message.id]))


def suppressed():
    user = UserFactory()
    suppress.suppress(user.email, Reason.HARD_BOUNCE, "")
    return enqueue(Draft(kind="welcome", to=user.email, user=user))


def dead():
    return MessageFactory(status=Status.DEAD)


def uncertain():
    return MessageFactory(uncertain=True, settle_at=None)


def expired():
    return MessageFactory(status=Status.EXPIRED)


def copied():
    message = MessageFactory(status=Status.DEAD)
    MessageFactory(resend_of=message, user=message.user)
    return message


def unserved():
    beat("relay@here")
    return MessageFactory()


STEPS = [
    (suppressed, NextStep.LIFT_SUPPRESSION, {"view_suppression", "lift_suppression"}),
    (dead, NextStep.REPLAY, {"replay_message"}),
    (uncertain, NextStep.SETTLE, {"settle_message"}),
    (expired, NextStep.RESEND, {"resend_message"}),
    (copied, NextStep.OPEN_COPY, set()),
    (unserved, NextStep.CHECK_STATUS, set()),
]


@pytest.mark.parametrize(("make", "step", "permissions"), STEPS)
def test_next_step_is_a_link_that_works(staff, make, step, permissions):
    message = make()
    browser = staff("view_message", *permissions)
    shown = page(browser, message)
    assert shown.context["explanation"].step.code is step
    url, text = shown.context["next_step"]
    html = shown.content.decode()
    assert f'href="{url}"' in html
    assert str(text) in html
    assert browser.get(url).status_code == 200


@pytest.mark.parametrize(("make", "step", "permissions"), [each for each in STEPS if each[2]])
def test_staff_without_the_permission_get_no_link(staff, make, step, permissions):
    shown = page(staff("view_message"), make())
    assert shown.context["explanation"].step.code is step
    assert shown.context["next_step"] is None


def test_page_shows_the_sentence_and_the_code(admin_client):
    message = dead()
    shown = page(admin_client, message)
    html = shown.content.decode()
    assert shown.context["explanation"].sentence in html
    assert f'data-code="{Situation.DEAD}"' in html


def test_page_works_without_redis(admin_client, settings):
    message, url = MessageFactory(), settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    shown = page(admin_client, message)
    settings.REDIS_URL = url
    assert shown.context["explanation"].code is Situation.BROKER_DOWN


@pytest.mark.parametrize("reason", list(Reason))
def test_lifting_is_advised_only_against_what_the_recipient_did_not_decide(reason):
    user = UserFactory()
    suppress.suppress(user.email, reason, "")
    stored = relevance.SUPPRESSED.format(reason=reason)
    message = MessageFactory(user=user, stream=Stream.BULK, status=Status.SUPPRESSED, status_reason=stored)
    message = Message.objects.get(id=message.id)
    why = explain(message)
    assert (why.step.code, why.code) == (NextStep.LIFT_SUPPRESSION, Situation.SUPPRESSED)
    assert (why.step.text == LIFT_IF_WANTED) is (reason in DECIDED_BY_RECIPIENT)
    blames_bounces = reason not in {Reason.UNSUBSCRIBED, Reason.BY_HAND}
    assert answer_of(message, why).endswith(str(ENDED[why.code])) is blames_bounces


@pytest.mark.parametrize("stored", [CANCELLED_BY.format(who="Ada", why="wrong text"), BY_APPLICATION])
def test_sentence_says_once_that_a_message_was_cancelled(stored):
    message = MessageFactory(status=Status.CANCELLED, status_reason=stored)
    message = Message.objects.get(id=message.id)
    assert explain(message).sentence == f"{reason_in_words(message)}."
    with translation.override("de"):
        assert reason_in_words(message).lower() != stored


def test_every_step_has_words():
    assert set(STEPS_IN_WORDS) == set(NextStep)
    assert set(PAGES) <= set(NextStep)


def test_sentences_are_german(german_sentences):
    english, german = german_sentences
    assert not set(english) & set(german)


@pytest.fixture
def german_sentences():
    # "%(reason)s" is of another table.
    tables = (PLAIN, STEPS_IN_WORDS, ENDED, BY_REASON)
    sentences = [LIFT_IF_WANTED, *(each for table in tables for each in table.values() if each != "%(reason)s")]
    with translation.override("de"):
        german = list(map(str, sentences))
    return list(map(str, sentences)), german


def delivered(language):
    return MessageFactory(
        kind="password-reset",
        stream=Stream.CRITICAL,
        user=UserFactory(language=language),
        status=Status.SENT,
        sent_at=Now(),
        provider="ses",
        outcome=Outcome.DELIVERED,
        outcome_at=Now(),
    )


@pytest.mark.parametrize("language", ["en", "de"])
def test_answer_is_in_the_language_of_the_recipient(admin_client, language):
    message = Message.objects.get(id=delivered(language).id)
    shown = page(admin_client, message)
    with translation.override(language):
        beginning = str(ENDED[Situation.DELIVERED]).partition("%")[0]
    assert beginning in shown.context["answer"]
    assert shown.context["answer"] in shown.content.decode()
    assert "%" not in shown.context["answer"]


@pytest.mark.parametrize("status", [status for status in Status if status not in {Status.SENDING, Status.SENT}])
def test_every_status_has_an_answer(status):
    client().set(served_key(Stream.DEFAULT), "1")
    beat("relay@here")
    fields = {"settle_at": Now()} if status == Status.UNCERTAIN else {}
    message = Message.objects.get(id=MessageFactory(status=status, **fields).id)
    answer = answer_of(message, explain(message))
    assert answer.count(".") == 2
    assert "%" not in answer


def test_answer_says_why_a_queued_message_will_not_be_sent():
    user = UserFactory()
    older = MessageFactory(kind="password-reset", user=user, created_at=Now() - timedelta(minutes=1))
    MessageFactory(kind="password-reset", user=user)
    suppressed = MessageFactory()
    suppress.suppress(suppressed.to_address, Reason.HARD_BOUNCE, "")
    for made, expected in ((older, BY_REASON[relevance.SUPERSEDED]), (suppressed, ENDED[Situation.SUPPRESSED])):
        message = Message.objects.get(id=made.id)
        why = explain(message)
        assert why.code is Situation.WILL_END
        assert answer_of(message, why).endswith(str(expected))


def test_kind_without_an_occasion_is_named_by_its_title():
    message = Message.objects.get(id=MessageFactory(kind="provider-test", status=Status.DEAD).id)
    assert message.kind not in answer_of(message, explain(message))


def test_percent_sign_in_the_occasion_of_a_product_is_text(monkeypatch):
    monkeypatch.setitem(kinds.KINDS, "welcome", replace(kinds.KINDS["welcome"], occasion="You got 50% off %(when)s."))
    message = Message.objects.get(id=MessageFactory(kind="welcome", status=Status.DEAD).id)
    answer = answer_of(message, explain(message))
    assert answer.startswith("You got 50% off ")
    assert "%(when)s" not in answer


@pytest.mark.parametrize("lasts", [None, timedelta(days=1)])
def test_sentence_says_when_a_message_expires_whose_pause_has_no_end(lasts):
    beat("relay@here")
    client().set(served_key(Stream.DEFAULT), "1")
    start_pause("kind", "welcome", by="Ada", reason="wrong text", lasts=lasts)
    with_expiry, without = (MessageFactory(expires_at=at) for at in (Now() + timedelta(days=3), None))
    found = [explain(Message.objects.get(id=one.id)) for one in (with_expiry, without)]
    assert [one.code for one in found] == [Situation.PAUSED] * 2
    assert (found[0].sentence != found[1].sentence) is (lasts is None)


def test_erased_recipient_gets_no_answer(admin_client):
    message = MessageFactory(status=Status.CANCELLED, user=None, to_address="", anonymized_at=Now())
    assert page(admin_client, message).context["answer"] == ""
