"""Predict what would happen to a message if it were sent now."""

from collections.abc import Sequence
from dataclasses import replace

from notifications.delivery.facts import gather
from notifications.delivery.relevance import CANNOT_BE_RENDERED, Facts, Skip, skip_reason
from notifications.delivery.render import RenderingError, render
from notifications.models import Message
from notifications.rules.states import Event

RENDERING = "rendering/"


def replay_skips(messages: Sequence[Message]) -> list[tuple[Message, Skip | None]]:
    # As though each message were queued again.
    return [(message, _skip(message, facts)) for message, facts in gather(messages)]


def resend_skips(messages: Sequence[Message]) -> list[tuple[Message, Skip | None]]:
    """Return why a copy of each message would not be sent; None if it would.

    A copy would be the newest of its kind, and not expired.
    """
    found = gather(messages)
    return [(message, _skip(message, replace(facts, expired=False, superseded=False))) for message, facts in found]


def _skip(message: Message, facts: Facts) -> Skip | None:
    return skip_reason(facts) or _still_broken(message)


def _still_broken(message: Message) -> Skip | None:
    # A message whose rendering fails again would die again.
    if not message.error_fingerprint.startswith(RENDERING):
        return None
    try:
        render(message, attempt=message.attempts + 1)
    except RenderingError as error:
        return Skip(Event.FAILED, CANNOT_BE_RENDERED.format(error=error), f"{RENDERING}{error}")
    return None
