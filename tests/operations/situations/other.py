"""Situations of messages that are being sent, were sent, or have ended otherwise."""

from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from notifications.admin.verdicts import Verb, Verdict
from notifications.delivery.claim import claim, hand_over
from notifications.events import suppress
from notifications.outbox import Draft, enqueue
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Status, Stream
from notifications.rules.suppression import Reason
from notifications.support.diagnosis import NextStep, Situation
from tests.factories import MessageFactory, UserFactory
from tests.operations.situations.scripted import (
    DELIVERED,
    LIFTS,
    RESENDS,
    SENDS_A_SECOND,
    SENDS_AGAIN,
    SETTLES,
    deliver,
    later,
    lose_answer,
    news,
    situation,
)

# Sending and uncertain.


@situation(predicts=Situation.PREPARING, then=Status.SENT, verdict=Verdict.SENDING)
def worker_is_killed_before_the_hand_over(world):
    message = MessageFactory()
    claim([message.id])
    return message


@situation(
    predicts=Situation.HANDED_OVER,
    then=Status.UNCERTAIN,
    afterwards=Situation.UNCERTAIN_RESENDS,
    has_task=False,
    verdict=Verdict.SENDING,
)
def worker_is_killed_in_the_call(world):
    message = MessageFactory()
    hand_over(claim([message.id]), "scripted")
    return message


@situation(predicts=Situation.WORKER_LOST, then=Status.SENT, verdict=Verdict.SENDING)
def worker_was_lost(world):
    return MessageFactory(abandoned=True)


@situation(predicts=Situation.UNCERTAIN_RESENDS, then=Status.SENT, **SETTLES)
def answer_was_lost(world):
    return lose_answer(world, MessageFactory())


@situation(
    predicts=Situation.UNCERTAIN_WAITS,
    step=NextStep.SETTLE,
    then=Status.UNCERTAIN,
    afterwards=Situation.UNCERTAIN_HELD,
    **SETTLES,
)
def answer_was_lost_for_an_email_that_must_not_arrive_twice(world):
    return lose_answer(world, news())


@situation(predicts=Situation.UNCERTAIN_HELD, step=NextStep.SETTLE, then=Status.SENT, **SETTLES)
def message_needs_a_decision(world):
    message = lose_answer(world, news())
    world.let_pass(settings.UNCERTAIN_SETTLE_S + 1)
    world.run()
    return message


# Sent.


@situation(
    predicts=Situation.SENT,
    then=Status.SENT,
    **DELIVERED,
    **SENDS_A_SECOND,
)
def provider_has_not_reported_yet(world):
    return deliver(world)


@situation(
    predicts=Situation.DEFERRED,
    then=Status.SENT,
    **DELIVERED,
    **SENDS_A_SECOND,
)
def mailbox_asks_to_try_later(world):
    message = deliver(world)
    world.report(message, "deferred")
    return message


@situation(predicts=Situation.DELIVERED, step=NextStep.CHECK_SPAM, then=Status.SENT, **SENDS_A_SECOND)
def message_was_delivered(world):
    message = deliver(world)
    world.report(message, "delivered")
    return message


@situation(predicts=Situation.BOUNCED, step=NextStep.CHECK_ADDRESS, then=Status.SENT, **LIFTS)
def mailbox_does_not_exist(world):
    message = deliver(world)
    world.report(message, "bounced", bounce="hard")
    return message


@situation(predicts=Situation.REJECTED, step=NextStep.CHECK_PROVIDER, then=Status.SENT, **RESENDS)
def provider_dropped_it(world):
    message = deliver(world)
    world.report(message, "rejected")
    return message


@situation(predicts=Situation.UNREPORTED, step=NextStep.CHECK_SPAM, then=Status.SENT, **SENDS_A_SECOND, has_task=False)
def provider_never_reports(world):
    return MessageFactory(status=Status.SENT, sent_at=Now(), provider="smtp")


@situation(
    predicts=Situation.COMPLAINED,
    step=NextStep.LIFT_SUPPRESSION,
    then=Status.SENT,
    verdict=Verdict.SUPPRESSED,
    again=Status.SUPPRESSED,
)
def recipient_complained(world):
    message = deliver(world)
    world.report(message, "complained")
    return message


# Ended. `then` is the status of the copy, if the next step makes one.


@situation(predicts=Situation.SUPPRESSED, step=NextStep.LIFT_SUPPRESSION, then=Status.SENT, **LIFTS)
def address_is_suppressed(world):
    user = UserFactory()
    suppress.suppress(user.email, Reason.HARD_BOUNCE, "")
    return enqueue(Draft(kind="welcome", to=user.email, user=user))


@situation(predicts=Situation.SUPPRESSION_LIFTED, step=NextStep.RESEND, then=Status.SENT, **RESENDS)
def address_is_no_longer_suppressed(world):
    return deliver(world, status=Status.SUPPRESSED)


@situation(predicts=Situation.EXPIRED, step=NextStep.RESEND, then=Status.SENT, **RESENDS)
def message_expired(world):
    return deliver(world, expires_at=later(-1))


@situation(
    predicts=Situation.CANCELLED,
    step=NextStep.NOTHING,
    then=Status.CANCELLED,
    verdict=Verdict.CONFIRMED,
    again=Status.CANCELLED,
)
def message_was_no_longer_needed(world):
    return deliver(world, user=UserFactory(confirmed_at=timezone.now()))


@situation(predicts=Situation.CANCELLED, step=NextStep.RESEND, then=Status.SENT, **RESENDS)
def newer_message_replaced_it(world):
    old = MessageFactory(kind="password-reset", stream=Stream.CRITICAL, created_at=later(-60))
    deliver(world, kind="password-reset", stream=Stream.CRITICAL, user=old.user)
    return old


@situation(predicts=Situation.DEAD, step=NextStep.REPLAY, then=Status.SENT, verb=Verb.REPLAY, **SENDS_AGAIN)
def provider_refused_it_for_good(world):
    world.provider.script.append(ErrorClass.PERMANENT)
    return deliver(world)


@situation(predicts=Situation.DEAD, step=NextStep.OPEN_COPY, then=Status.SENT, **SENDS_A_SECOND)
def dead_message_was_resent(world):
    world.provider.script.append(ErrorClass.PERMANENT)
    message = deliver(world)
    deliver(world, user=message.user, resend_of=message)
    return message


@situation(
    predicts=Situation.ANONYMIZED,
    step=NextStep.NOTHING,
    then=Status.CANCELLED,
    verdict=Verdict.ANONYMIZED,
    has_task=False,
)
def recipient_was_erased(world):
    return MessageFactory(status=Status.CANCELLED, user=None, to_address="", anonymized_at=Now())
