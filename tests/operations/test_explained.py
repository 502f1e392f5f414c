"""What the explanation of a message predicts is what then happens; Flower shows of each task what the row says."""

from uuid import uuid4

import pytest

from notifications.admin.verdicts import Verb
from notifications.events import suppress
from notifications.models import DeliveryAttempt, Message, Suppression
from notifications.outbox import resend, settle
from notifications.outbox.insert import RELAY_AFTER_S
from notifications.rules.states import Stream
from notifications.support.diagnosis import NextStep
from notifications.support.explain import explain
from tests.factories import UserFactory
from tests.operations.sending_again import proposed, said_by, send_again, sent_to
from tests.operations.situations import SITUATIONS

# How much of the predicted time passes before the test checks that nothing has happened yet: the rest is more than a
# busy machine needs for that.
EARLY = 0.75
HOUR_S = 3600
# The next steps that the button of the admin's page takes.
VERBS = {NextStep.RETRY_NOW: Verb.RETRY, NextStep.RESEND: Verb.RESEND, NextStep.REPLAY: Verb.REPLAY}


def fresh(message):
    return Message.objects.get(id=message.id)


def state(message):
    now = fresh(message)
    return now.status, now.attempts


def explained(world, message):
    world.report_health()
    return explain(fresh(message))


@pytest.mark.parametrize("name", SITUATIONS)
def test_prediction_comes_true(name, world):
    scripted = SITUATIONS[name]
    message = scripted.arrange(world)
    why = explained(world, message)
    assert (why.code, why.step.code) == (scripted.predicts, scripted.step)
    assert (why.ahead is not None) == scripted.is_in_line
    proposal = proposed(message)
    assert said_by(proposal) == said_by(scripted)
    assert proposal.verb is VERBS.get(why.step.code, proposal.verb)
    assert scripted.again or send_again(proposal) is None
    attempts = set(DeliveryAttempt.objects.values_list("pk", flat=True))
    if why.eta_s is not None:
        happens_on_time(world, message, scripted, why.eta_s)
    elif scripted.resolve:
        happens_when_resolved(world, message, scripted)
    else:
        message = after_next_step(world, message, why.step)
    assert fresh(message).status == scripted.then
    assert not scripted.afterwards or explained(world, message).code is scripted.afterwards
    if scripted.is_in_line:
        assert sent_before(message, attempts) == why.ahead
    assert bool(world.worker.checked) == scripted.has_task


def happens_on_time(world, message, scripted, eta_s):
    before = state(message)
    world.run()
    if eta_s > 1 and scripted.is_timed:
        let_pass(world, eta_s * EARLY, scripted.every_s)
        assert state(message) == before
    let_pass(world, eta_s * (1 - EARLY) + scripted.late_s, scripted.every_s)


def happens_when_resolved(world, message, scripted):
    before = state(message)
    world.let_pass(HOUR_S)
    world.run()
    assert state(message) == before
    scripted.resolve(world, message)
    world.run()


def let_pass(world, seconds, every_s):
    while seconds > 0:
        world.let_pass(min(seconds, every_s))
        world.run()
        seconds -= every_s


def after_next_step(world, message, step):
    """Take the step that the explanation names, and return the message or its copy."""
    before = state(message)
    world.let_pass(HOUR_S)
    world.run()
    assert state(message) == before
    after = send_again(proposed(message)) if step.code in VERBS else take(fresh(message), step)
    # What was enqueued is published by the relay, as the transaction of a test does not commit.
    world.let_pass(RELAY_AFTER_S[Stream.DEFAULT] + 1)
    world.run()
    assert step.code not in VERBS or sent_to(world, after) == [message.to_address]
    return after


def take(message, step):
    match step.code:
        case NextStep.SETTLE:
            assert settle.mark_sent(message, "an operator")
        case NextStep.LIFT_SUPPRESSION:
            assert suppress.lift(Suppression.objects.get(pk=step.target), UserFactory(), "")
            return resend(message, uuid4())
        case NextStep.OPEN_COPY:
            return Message.objects.get(id=step.target)
    return message


def sent_before(message, known):
    """Return how many others were sent between the explanation and this message."""
    others = DeliveryAttempt.objects.exclude(pk__in=known).order_by("recorded_at")
    return list(others.values_list("message_id", flat=True)).index(message.id)
