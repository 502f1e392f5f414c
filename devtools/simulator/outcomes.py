"""Decide the outcome of an accepted email, what the provider reports, and when. Pure.

The recipient's local part decides first, as in Amazon's mailbox simulator, then the provider's list, then the rates.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from devtools.simulator.chance import draw
from devtools.simulator.controls import Controls

# Between two events of one email, and between an event and its duplicate.
GAP_S = 0.1


class Outcome(StrEnum):
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    SOFT_BOUNCED = "soft-bounced"
    COMPLAINED = "complained"
    DEFERRED = "deferred"  # and delivered later
    AUTO_REPLIED = "auto-replied"
    SUPPRESSED = "suppressed"  # on the provider's list


class Event(StrEnum):
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    SOFT_BOUNCED = "soft-bounced"
    COMPLAINED = "complained"
    AUTO_REPLIED = "auto-replied"
    SUPPRESSED = "suppressed"


EVENTS: dict[Outcome, tuple[Event, ...]] = {
    Outcome.DELIVERED: (Event.ACCEPTED, Event.DELIVERED),
    Outcome.BOUNCED: (Event.ACCEPTED, Event.BOUNCED),
    Outcome.SOFT_BOUNCED: (Event.ACCEPTED, Event.SOFT_BOUNCED),
    Outcome.COMPLAINED: (Event.ACCEPTED, Event.DELIVERED, Event.COMPLAINED),
    Outcome.DEFERRED: (Event.ACCEPTED, Event.DEFERRED, Event.DELIVERED),
    Outcome.AUTO_REPLIED: (Event.ACCEPTED, Event.DELIVERED, Event.AUTO_REPLIED),
    Outcome.SUPPRESSED: (Event.ACCEPTED, Event.SUPPRESSED),
}
LOCAL_PARTS = {
    "bounce": Outcome.BOUNCED,
    "softbounce": Outcome.SOFT_BOUNCED,
    "complaint": Outcome.COMPLAINED,
    "deferred": Outcome.DEFERRED,
    "ooto": Outcome.AUTO_REPLIED,
    "suppressed": Outcome.SUPPRESSED,
}
# An address that starts like this is not accepted: the provider considers it invalid.
INVALID = "invalid"
# These put the address on the provider's suppression list.
FINAL = {Outcome.BOUNCED, Outcome.COMPLAINED}


@dataclass(frozen=True, kw_only=True)
class Due:
    """One report. `happened_s` and `due_s` count from the acceptance. A lost report is never posted."""

    event: Event
    happened_s: float
    due_s: float
    lost: bool = False


def outcome_of(address: str, controls: Controls, number: int, *, listed: bool) -> Outcome:
    """Return the outcome of an email. `number` counts since the seed was set.

    `listed`: whether the address is on the provider's list.
    """
    for start, outcome in LOCAL_PARTS.items():
        if address.lower().startswith(start):
            return outcome
    if listed:
        return Outcome.SUPPRESSED
    mark = draw(controls.seed, "outcome", number)
    for outcome, rate in (
        (Outcome.BOUNCED, controls.bounce_rate),
        (Outcome.COMPLAINED, controls.complaint_rate),
        (Outcome.DEFERRED, controls.deferred_rate),
    ):
        if mark < rate:
            return outcome
        mark -= rate
    return Outcome.DELIVERED


def planned(outcome: Outcome, controls: Controls, number: int) -> list[Due]:
    """Return the reports of an email, with faults, in the order of their posts."""
    return sorted(_with_faults(outcome, controls, number), key=lambda due: due.due_s)


def _with_faults(outcome: Outcome, controls: Controls, number: int) -> Iterator[Due]:
    events = EVENTS[outcome]
    places = list(range(len(events)))
    if controls.webhook_shuffle:
        places.sort(key=lambda place: draw(controls.seed, "shuffle", number, place))
    for order, (event, place) in enumerate(zip(events, places, strict=True)):
        late_s = controls.webhook_delay_ms / 1000
        due = Due(
            event=event,
            happened_s=order * GAP_S,
            due_s=place * GAP_S + late_s,
            lost=draw(controls.seed, "lost", number, order) < controls.webhook_lost_rate,
        )
        yield due
        if not due.lost and draw(controls.seed, "doubled", number, order) < controls.webhook_doubled_rate:
            yield Due(event=event, happened_s=due.happened_s, due_s=due.due_s + GAP_S)
