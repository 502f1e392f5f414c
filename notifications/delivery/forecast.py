"""Predict what would happen to a message if it were sent now."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from uuid import UUID

from notifications import kinds
from notifications.delivery.facts import gather
from notifications.delivery.relevance import CANNOT_BE_RENDERED, Facts, Skip, skip_reason
from notifications.delivery.render import RenderingError, render
from notifications.models import Message
from notifications.rules.states import Event

RENDERING = "rendering/"


def replay_skips(messages: Sequence[Message]) -> list[tuple[Message, Skip | None]]:
    # As though each message were queued again.
    return [(message, skip_reason(facts) or _still_broken(message)) for message, facts in gather(messages)]


def resend_skips(messages: Sequence[Message]) -> list[tuple[Message, Skip | None]]:
    found = forecasts(messages)
    return [(message, found[message.id].resend) for message in messages if message.id in found]


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Why a message would not be sent now; None if it would.

    `replay` is about the message itself, `resend` about a new copy of it, `resend_if_lifted` about a copy after the
    suppressions of the address are lifted. A copy goes to the account's current address: `moves_to` is that address if
    it is another one than the message's.
    """

    replay: Skip | None
    resend: Skip | None
    resend_if_lifted: Skip | None
    moves_to: str = ""


def forecasts(messages: Sequence[Message]) -> dict[UUID, Forecast]:
    found = gather(messages)
    moving = [_moved(message, to) for message, facts in found if facts.address_changed and (to := _address(message))]
    moved = {message.id: (message, facts) for message, facts in gather(moving)}
    return {message.id: _forecast(message, facts, *moved.get(message.id, (message, facts))) for message, facts in found}


def _forecast(message: Message, facts: Facts, copied: Message, copied_facts: Facts) -> Forecast:
    # A copy would be the newest of its kind, and not expired.
    new = replace(copied_facts, expired=False, superseded=False)
    skips = [skip_reason(each) for each in (facts, new, replace(new, suppressed=""))]
    broken = _still_broken(message) if None in skips else None
    replay, resend, resend_if_lifted = (skip or broken for skip in skips)
    moves_to = "" if copied is message else copied.to_address
    return Forecast(replay=replay, resend=resend, resend_if_lifted=resend_if_lifted, moves_to=moves_to)


def _address(message: Message) -> str:
    # Where the account gets this kind now; empty if it gets none. The kind has already answered once.
    user = message.user
    return kinds.get(message.kind).address(user).lower() if user else ""


def _moved(message: Message, to: str) -> Message:
    copied = copy(message)
    copied.to_address = to
    return copied


def _still_broken(message: Message) -> Skip | None:
    # A message whose rendering fails again would die again.
    if not message.error_fingerprint.startswith(RENDERING):
        return None
    try:
        render(message, attempt=message.attempts + 1)
    except RenderingError as error:
        return Skip(Event.FAILED, CANNOT_BE_RENDERED.format(error=error), f"{RENDERING}{error}")
    return None
