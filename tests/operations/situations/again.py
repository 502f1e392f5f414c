"""Situations in which sending the message again would not send it, would take longer, or goes elsewhere."""

from django.utils import timezone

from accounts.models import User
from notifications.admin.verdicts import Verdict, Wait
from notifications.events import suppress
from notifications.models import Message, Suppression
from notifications.outbox.pausing import start_pause
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Status, Stream
from notifications.rules.suppression import Reason
from notifications.support.diagnosis import NextStep, Situation
from tests.factories import MessageFactory, UserFactory
from tests.notifications.bounce_brake.bouncing import bounced
from tests.operations.situations.queued import resumed
from tests.operations.situations.scripted import (
    DELIVERED,
    RESENDS,
    deliver,
    later,
    lose_answer,
    news,
    shut,
    sign_up,
    situation,
)

EXPIRED = {"predicts": Situation.EXPIRED, "step": NextStep.RESEND, "then": Status.SENT, **RESENDS}
USELESS = {"predicts": Situation.CANCELLED, "step": NextStep.NOTHING, "then": Status.CANCELLED}
DEAD = {"predicts": Situation.DEAD, "step": NextStep.RESEND, "then": Status.SENT, **RESENDS}


def change(user, **fields):
    User.objects.filter(pk=user.pk).update(**fields)


# The account has changed.


@situation(
    predicts=Situation.SENT,
    then=Status.SENT,
    **DELIVERED,
    **RESENDS | {"verdict": Verdict.TO_CURRENT_ADDRESS},
    to="new@example.com",
)
def account_has_another_address(world):
    message = deliver(world, kind="password-changed")
    change(message.user, email="new@example.com")
    return message


@situation(predicts=Situation.SENT, then=Status.SENT, **DELIVERED, verdict=Verdict.IRRELEVANT, again=Status.CANCELLED)
def user_wants_no_more_news(world):
    message = news()
    world.run()
    change(message.user, wants_news=False)
    return message


@situation(**USELESS, verdict=Verdict.ACCOUNT_CLOSED, again=Status.CANCELLED)
def account_is_closed(world):
    return deliver(world, kind="password-changed", user=UserFactory(is_active=False))


@situation(**USELESS, verdict=Verdict.NO_ACCOUNT, again=Status.CANCELLED)
def account_is_gone(world):
    return deliver(world, kind="password-changed", user=None, to_address="gone@example.com")


@situation(**USELESS, verdict=Verdict.ADDRESS_GONE, again=Status.CANCELLED)
def change_of_address_is_over(world):
    return deliver(world, kind="address-change")


# A copy would not be sent either.


@situation(**USELESS, verdict=Verdict.FLOODED, again=Status.CANCELLED)
def address_has_reached_its_hourly_limit(world):
    user = UserFactory()
    now = timezone.now()
    MessageFactory.create_batch(10, kind="password-changed", user=user, status=Status.SENT, sent_at=now)
    return deliver(world, kind="password-changed", user=user)


@situation(predicts=Situation.EXPIRED, step=NextStep.NOTHING, then=Status.EXPIRED, verdict=Verdict.KIND_GONE)
def no_app_declares_its_kind(world):
    return deliver(world, kind="gone", expires_at=later(-1))


@situation(
    predicts=Situation.SUPPRESSED,
    step=NextStep.LIFT_SUPPRESSION,
    then=Status.SENT,
    verdict=Verdict.SUPPRESSED,
    again=Status.SUPPRESSED,
)
def recipient_has_unsubscribed(world):
    message = news()
    suppress.suppress(message.to_address, Reason.UNSUBSCRIBED, "")
    world.run()
    return message


@situation(predicts=Situation.SUPPRESSED, step=NextStep.LIFT_SUPPRESSION, then=Status.SENT, **RESENDS)
def suppression_has_cooled_off(world):
    message = MessageFactory(kind="password-reset", stream=Stream.CRITICAL)
    suppress.suppress(message.to_address, Reason.SOFT_BOUNCES, "")
    world.run()
    Suppression.objects.update(created_at=later(-30 * 86_400))
    return message


@situation(predicts=Situation.SENT, then=Status.SENT, **DELIVERED, verdict=Verdict.COPY_OPEN)
def another_copy_is_queued(world):
    message = deliver(world)
    MessageFactory(user=message.user, resend_of=message, due_at=later(3600), relay_after=later(3600))
    return message


# A copy would wait.


@situation(**EXPIRED, wait=Wait.PROVIDER)
def message_expired_and_no_provider_accepts_email(world):
    message = deliver(world, expires_at=later(-1))
    shut(ErrorClass.MISCONFIGURED, probes=3)
    return message


@situation(**EXPIRED | {"then": Status.EXPIRED}, resolve=resumed, wait=Wait.PAUSE)
def message_expired_and_its_stream_is_paused(world):
    message = deliver(world, expires_at=later(-1))
    start_pause("stream", Stream.DEFAULT, by="Ada", reason="wrong text")
    return message


@situation(**EXPIRED, wait=Wait.BRAKE)
def message_expired_and_sign_ups_bounce(world):
    message = deliver(world, expires_at=later(-1))
    world.settings.BOUNCE_BRAKE_PER_MIN = 1
    bounced()
    for number in range(2):
        sign_up(f"ada@home{number}.example")
    return message


# Dead and uncertain.


def dead(world, **fields):
    world.provider.script.append(ErrorClass.PERMANENT)
    return deliver(world, **fields)


@situation(**DEAD)
def dead_message_has_expired(world):
    message = dead(world)
    Message.objects.filter(id=message.id).update(expires_at=later(-1))
    return message


@situation(**DEAD)
def dead_message_has_a_successor(world):
    # A replay would be cancelled, and a copy would be the newest.
    message = dead(world, kind="password-reset", stream=Stream.CRITICAL, created_at=later(-60))
    soon = later(7200)
    MessageFactory(kind="password-reset", stream=Stream.CRITICAL, user=message.user, due_at=soon, relay_after=soon)
    return message


@situation(
    predicts=Situation.DEAD,
    step=NextStep.NOTHING,
    then=Status.DEAD,
    verdict=Verdict.BROKEN,
    again=Status.QUEUED,
    has_task=False,
)
def dead_message_cannot_be_rendered(world):
    # The context lacks the text. A copy would wait for a worker whose templates fit.
    message = news(context={})
    fingerprint = "rendering/MissingVariableError:headline"
    Message.objects.filter(id=message.id).update(status=Status.DEAD, died_at=later(0), error_fingerprint=fingerprint)
    return message


@situation(
    predicts=Situation.UNCERTAIN_WAITS,
    step=NextStep.SETTLE,
    then=Status.UNCERTAIN,
    afterwards=Situation.UNCERTAIN_HELD,
    verdict=Verdict.EXPIRED,
    again=Status.EXPIRED,
)
def uncertain_message_has_expired(world):
    message = lose_answer(world, MessageFactory())
    Message.objects.filter(id=message.id).update(expires_at=later(-1))
    return message
