"""Situations of queued messages."""

from datetime import timedelta

from django.utils import timezone

from notifications import kinds
from notifications.admin.verdicts import Verdict
from notifications.events import suppress
from notifications.models import Message, Pause
from notifications.outbox.pausing import end_pause, start_pause
from notifications.providers.base.sending import ProviderError
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Status, Stream
from notifications.rules.suppression import Reason
from notifications.support.diagnosis import NextStep, Situation
from tests.factories import MessageFactory, UserFactory
from tests.notifications.bounce_brake.bouncing import bounced
from tests.notifications.breaker.breakers import close_circuit, open_circuit
from tests.operations.situations.scripted import (
    DAY_S,
    DOWN,
    NOWHERE,
    REFUSED,
    RETRIES,
    later,
    reach_redis,
    shut,
    sign_up,
    situation,
    slow_retry,
    start,
)


@situation(predicts=Situation.NEXT, then=Status.SENT)
def due(world):
    return MessageFactory()


@situation(predicts=Situation.NEXT, then=Status.SENT)
def one_provider_is_down_and_another_takes_over(world):
    open_circuit("scripted")
    return MessageFactory()


@situation(predicts=Situation.PROVIDERS_REFUSE, then=Status.SENT)
def both_providers_are_down(world):
    shut(DOWN, probes=3)
    return MessageFactory()


@situation(predicts=Situation.PROVIDERS_REFUSE, step=NextStep.CHECK_PROVIDER, then=Status.SENT)
def key_is_wrong(world):
    shut(REFUSED, probes=3)
    return MessageFactory()


@situation(predicts=Situation.RETRY_PAUSE, step=NextStep.RETRY_NOW, then=Status.SENT, **RETRIES)
def provider_fails_once(world):
    message = MessageFactory()
    world.provider.script.append(slow_retry(300))
    world.run()
    return message


@situation(predicts=Situation.RETRY_PAUSE, step=NextStep.RETRY_NOW, then=Status.SENT, **RETRIES)
def celery_retries_while_the_relay_is_not_running(world):
    message = MessageFactory()
    world.provider.script.append(slow_retry(50))
    world.run()
    world.is_relayed = False
    return message


@situation(
    predicts=Situation.NO_RELAY,
    step=NextStep.CHECK_STATUS,
    then=Status.SENT,
    resolve=lambda world, message: start(world, is_relayed=True),
)
def relay_is_not_running(world):
    world.is_relayed = False
    return MessageFactory()


@situation(
    predicts=Situation.NO_WORKER,
    step=NextStep.CHECK_STATUS,
    then=Status.SENT,
    resolve=lambda world, message: start(world, is_served=True),
)
def no_worker_serves_the_queue(world):
    world.is_served = False
    return MessageFactory()


@situation(
    predicts=Situation.BROKER_DOWN,
    step=NextStep.CHECK_STATUS,
    then=Status.SENT,
    resolve=lambda world, message: reach_redis(world, world.redis_url),
)
def redis_is_down(world):
    message = MessageFactory()
    world.report_health()
    reach_redis(world, NOWHERE)
    return message


def resumed(world, message):
    for paused in Pause.objects.in_force():
        end_pause(paused.what, paused.name, by="Ada")


PAUSED = {"predicts": Situation.PAUSED, "step": NextStep.RESUME, "then": Status.SENT, "resolve": resumed}


@situation(**PAUSED)
def operator_pauses_the_stream(world):
    start_pause("stream", Stream.DEFAULT, by="Ada", reason="wrong text")
    message = MessageFactory()
    world.run()
    return message


@situation(**PAUSED)
def operator_pauses_the_kind(world):
    message = MessageFactory()
    start_pause("kind", message.kind, by="Ada", reason="wrong text")
    world.run()
    return message


@situation(**PAUSED)
def operator_pauses_all_providers(world):
    for provider in ("scripted", "second"):
        start_pause("provider", provider, by="Ada", reason="wrong text")
    message = MessageFactory()
    world.run()
    return message


@situation(predicts=Situation.PAUSED, step=NextStep.RESUME, then=Status.SENT, late_s=10)
def operator_pauses_the_kind_for_an_hour(world):
    start_pause("kind", "welcome", by="Ada", reason="wrong text", lasts=timedelta(hours=1))
    return MessageFactory()


@situation(predicts=Situation.NEXT, then=Status.SENT)
def operator_pauses_the_first_provider(world):
    start_pause("provider", "scripted", by="Ada", reason="wrong text")
    return MessageFactory()


@situation(predicts=Situation.PROVIDERS_REFUSE, step=NextStep.CHECK_PROVIDER, then=Status.SENT, late_s=10)
def operator_pauses_all_providers_for_less_time_than_their_circuits_stay_open(world):
    shut(REFUSED, probes=3)
    for provider in ("scripted", "second"):
        start_pause("provider", provider, by="Ada", reason="new key", lasts=timedelta(seconds=20))
    return MessageFactory()


@situation(predicts=Situation.PAUSED, step=NextStep.RESUME, then=Status.SENT, late_s=10)
def operator_pauses_all_providers_for_longer_than_their_circuits_stay_open(world):
    shut(DOWN, probes=3)
    for provider, hours in (("scripted", 3), ("second", 1)):
        start_pause("provider", provider, by="Ada", reason="new key", lasts=timedelta(hours=hours))
    return MessageFactory()


@situation(predicts=Situation.PROVIDERS_REFUSE, then=Status.SENT, late_s=10)
def operator_pauses_the_provider_that_throttles_and_the_other_is_down(world):
    world.provider.script.append(ProviderError(ErrorClass.RATE_LIMITED, "http-429", retry_after_s=3000))
    MessageFactory(expires_at=later(60))
    world.run()
    shut(DOWN, probes=3)
    close_circuit("scripted")
    start_pause("provider", "scripted", by="Ada", reason="its account is under review")
    return MessageFactory()


@situation(predicts=Situation.RATE_LIMIT, then=Status.SENT, is_in_line=True, late_s=40, every_s=5, **RETRIES)
def rate_limit_holds_the_stream_back(world):
    world.settings.EMAIL_RATE, world.settings.EMAIL_STREAM_FLOORS = "scripted=0.05", ""
    MessageFactory.create_batch(3)
    message = MessageFactory()
    world.run()
    return message


@situation(predicts=Situation.PROVIDER_PAUSE, then=Status.SENT, late_s=40, **RETRIES)
def provider_asks_for_a_pause(world):
    world.provider.script.append(ProviderError(ErrorClass.RATE_LIMITED, "http-429", retry_after_s=300))
    MessageFactory()
    world.run()
    message = MessageFactory()
    world.run()
    return message


@situation(predicts=Situation.DAILY_LIMIT, then=Status.SENT, late_s=310, **RETRIES)
def daily_limit_is_used_up(world):
    world.settings.EMAIL_DAILY = "scripted=3"
    MessageFactory.create_batch(3)
    world.run()
    message = MessageFactory(expires_at=later(3 * DAY_S))
    world.run()
    return message


@situation(
    predicts=Situation.HELD_BY_BRAKE,
    step=NextStep.RELEASE_HELD,
    then=Status.SENT,
    is_in_line=True,
    late_s=40,
    every_s=10,
    verdict=Verdict.HELD,
)
def sign_ups_bounce(world):
    world.settings.BOUNCE_BRAKE_PER_MIN = 1
    bounced()
    return [sign_up(f"ada@home{number}.example") for number in range(2)][-1]


@situation(predicts=Situation.IN_QUEUE, then=Status.SENT, is_in_line=True, is_timed=False)
def backlog_is_ahead(world):
    MessageFactory.create_batch(4)
    world.run()
    MessageFactory.create_batch(6)
    return MessageFactory()


@situation(predicts=Situation.SCHEDULED, step=NextStep.RETRY_NOW, then=Status.SENT, **RETRIES)
def due_in_an_hour(world):
    return MessageFactory(due_at=later(3600), relay_after=later(3600))


@situation(predicts=Situation.OTHER_VERSION, step=NextStep.RESTART_WORKERS, then=Status.SENT, **RETRIES)
def worker_is_of_an_older_version(world):
    message = MessageFactory(created_at=later(-600))
    known = kinds.KINDS.pop("welcome")
    try:
        world.run()
    finally:
        kinds.KINDS["welcome"] = known
    return message


@situation(predicts=Situation.WILL_END, step=NextStep.NOTHING, then=Status.CANCELLED)
def address_was_confirmed_meanwhile(world):
    return MessageFactory(user=UserFactory(confirmed_at=timezone.now()))


@situation(predicts=Situation.WILL_END, step=NextStep.LIFT_SUPPRESSION, then=Status.SUPPRESSED)
def address_was_suppressed_meanwhile(world):
    message = MessageFactory()
    suppress.suppress(message.to_address, Reason.HARD_BOUNCE, "")
    return message


@situation(predicts=Situation.WILL_EXPIRE, step=NextStep.RETRY_NOW, then=Status.EXPIRED, late_s=110, **RETRIES)
def message_expires_before_its_next_attempt(world):
    message = MessageFactory()
    world.provider.script.append(slow_retry(300))
    world.run()
    Message.objects.filter(id=message.id).update(expires_at=later(200))
    return message
