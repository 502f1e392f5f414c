"""In each situation, the verdict before sending a message again is what the worker then does.

Where the explanation advises to resend or replay the message, `test_explained` does that.
"""

import pytest

from notifications.models import Message
from notifications.outbox.insert import RELAY_AFTER_S
from notifications.rules.states import Status, Stream
from notifications.support.diagnosis import NextStep
from tests.operations.sending_again import proposed, said_by, send_again, sent_to
from tests.operations.situations import SITUATIONS

# Several pauses, as a rate limit grants little after each.
SOON_OR_LATER = (*(60,) * 5, 3600, 86_400)


def is_pressed_here(scripted):
    return scripted.again and (scripted.wait or scripted.step not in {NextStep.RESEND, NextStep.REPLAY})


@pytest.mark.parametrize("name", [name for name, scripted in SITUATIONS.items() if is_pressed_here(scripted)])
def test_verdict_is_what_the_worker_does(name, world):
    scripted = SITUATIONS[name]
    message = scripted.arrange(world)
    proposal = proposed(message)
    assert said_by(proposal) == said_by(scripted)
    going = send_again(proposal)
    assert going is not None
    # What was enqueued is published by the relay, as the transaction of a test does not commit.
    run_later(world, RELAY_AFTER_S[Stream.DEFAULT] + 1)
    if scripted.wait:
        assert status_of(going) is Status.QUEUED
        if scripted.resolve:
            scripted.resolve(world, going)
    for seconds in SOON_OR_LATER:
        if status_of(going) is not scripted.again:
            run_later(world, seconds)
    assert status_of(going) is scripted.again
    assert sent_to(world, going) == ([scripted.to or message.to_address] if scripted.again is Status.SENT else [])


def run_later(world, seconds):
    world.let_pass(seconds)
    world.run()


def status_of(message):
    return Status(Message.objects.get(id=message.id).status)
