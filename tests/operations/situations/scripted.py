"""What a scripted situation is, and what several of them need."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models.functions import Now
from django.utils import timezone

from notifications.admin.verdicts import Verb, Verdict, Wait
from notifications.breaker.permits import report
from notifications.models import Message
from notifications.outbox import Draft, enqueue
from notifications.providers.base.sending import ProviderError
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Status, Stream
from notifications.support.diagnosis import NextStep, Situation
from tests.factories import MessageFactory, UserFactory
from tests.notifications.breaker.breakers import open_circuit, probe
from tests.operations.world import World

DOWN, AMBIGUOUS, REFUSED = ErrorClass.TRANSIENT, ErrorClass.AMBIGUOUS, ErrorClass.MISCONFIGURED
NOWHERE = "redis://127.0.0.1:1/0"
DAY_S = 86_400


@dataclass(frozen=True, kw_only=True)
class Scripted:
    """One situation. The explanation has the code `predicts` and the next step `step`.

    If it `is_in_line`, the explanation counts how many messages are sent before it. If it names a time, nothing happens
    before that; at most `late_s` later, the message has the status `then`. Otherwise it has that after `resolve`, or
    else after the next step was taken; `then` is of the copy, if there is one. `afterwards`: the code of the
    explanation in the end. Time passes in steps of `every_s`, if that matters. Without `is_timed`, the time depends on
    the machine.

    The admin proposes to send the message again by `verb`, and says `verdict` and what it would `wait` for. `again` is
    the status that this leads to: of the message or its copy. If the verb is NONE, that is what happens to a copy that
    is made all the same; None if even that is refused. `to`: the address of what is sent again, if it is another one.

    Without `has_task`, no worker is involved.
    """

    arrange: Callable[[World], Message]
    predicts: Situation
    then: Status
    step: NextStep = NextStep.WAIT
    resolve: Callable[[World, Message], None] | None = None
    is_in_line: bool = False
    is_timed: bool = True
    late_s: float = 3.0
    every_s: float = DAY_S
    afterwards: Situation | None = None
    verb: Verb = Verb.NONE
    verdict: Verdict = Verdict.QUEUED
    wait: Wait | None = None
    again: Status | None = None
    to: str = ""
    has_task: bool = True


SITUATIONS: dict[str, Scripted] = {}
# What several rows of the table have in common.
DELIVERED: dict[str, Any] = {
    "resolve": lambda world, message: world.report(message, "delivered"),
    "afterwards": Situation.DELIVERED,
}
SENDS_AGAIN: dict[str, Any] = {"verdict": Verdict.SENDS, "again": Status.SENT}
RETRIES: dict[str, Any] = {"verb": Verb.RETRY, **SENDS_AGAIN}
RESENDS: dict[str, Any] = {"verb": Verb.RESEND, **SENDS_AGAIN}
SENDS_A_SECOND: dict[str, Any] = RESENDS | {"verdict": Verdict.SENT_BEFORE}
SETTLES: dict[str, Any] = {"verb": Verb.SETTLE, "verdict": Verdict.MAY_ARRIVE_TWICE, "again": Status.SENT}
LIFTS: dict[str, Any] = {"verb": Verb.LIFT, "verdict": Verdict.SUPPRESSED, "again": Status.SENT}


def situation(**expected):
    """Add the decorated function to the table: it arranges the situation and returns the message."""

    def add(arrange):
        SITUATIONS[arrange.__name__] = Scripted(arrange=arrange, **expected)
        return arrange

    return add


def slow_retry(seconds):
    return ProviderError(DOWN, "http-503", "as scripted", retry_after_s=seconds)


def later(seconds):
    return Now() + timedelta(seconds=seconds)


def shut(error_class, *, probes):
    """Open the circuits of both providers, and let some probes fail, as in an outage of some minutes."""
    for provider in ("scripted", "second"):
        open_circuit(provider, error_class)
        for _ in range(probes):
            report(probe(provider), ProviderError(error_class, "http-503"))


def start(world, **processes):
    for name, runs in processes.items():
        setattr(world, name, runs)


def reach_redis(world, url):
    world.settings.REDIS_URL = url
    world.forget_outage()


def sign_up(address):
    return enqueue(Draft(kind="welcome", to=address, user=UserFactory(email=address)))


def news(**fields):
    user = UserFactory(confirmed_at=timezone.now())
    return MessageFactory(kind="product-news", stream=Stream.BULK, user=user, **fields)


def deliver(world, **fields):
    message = MessageFactory(**fields)
    world.run()
    return message


def lose_answer(world, message):
    world.provider.script.append(AMBIGUOUS)
    world.run()
    return message
