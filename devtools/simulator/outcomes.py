"""What becomes of an accepted mail, what the provider has to report of it, and when. Pure.

The fates go by the recipient's local part, as those of Amazon's own mailbox simulator do, then by the dials' rates.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from devtools.simulator.chance import draw
from devtools.simulator.controls import Dials

# Between two events of one mail, and between an event and its double.
GAP_S = 0.1


class Fate(StrEnum):
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    SOFT_BOUNCED = "soft-bounced"
    COMPLAINED = "complained"
    DEFERRED = "deferred"  # and delivered after all
    AUTO_REPLIED = "auto-replied"
    SUPPRESSED = "suppressed"  # on the provider's own list


class Event(StrEnum):
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    SOFT_BOUNCED = "soft-bounced"
    COMPLAINED = "complained"
    AUTO_REPLIED = "auto-replied"
    SUPPRESSED = "suppressed"


STORY: dict[Fate, tuple[Event, ...]] = {
    Fate.DELIVERED: (Event.ACCEPTED, Event.DELIVERED),
    Fate.BOUNCED: (Event.ACCEPTED, Event.BOUNCED),
    Fate.SOFT_BOUNCED: (Event.ACCEPTED, Event.SOFT_BOUNCED),
    Fate.COMPLAINED: (Event.ACCEPTED, Event.DELIVERED, Event.COMPLAINED),
    Fate.DEFERRED: (Event.ACCEPTED, Event.DEFERRED, Event.DELIVERED),
    Fate.AUTO_REPLIED: (Event.ACCEPTED, Event.DELIVERED, Event.AUTO_REPLIED),
    Fate.SUPPRESSED: (Event.ACCEPTED, Event.SUPPRESSED),
}
LOCAL_PARTS = {
    "bounce": Fate.BOUNCED,
    "softbounce": Fate.SOFT_BOUNCED,
    "complaint": Fate.COMPLAINED,
    "deferred": Fate.DEFERRED,
    "ooto": Fate.AUTO_REPLIED,
    "suppressed": Fate.SUPPRESSED,
}
# After these the provider takes no more mail for the address.
FINAL = {Fate.BOUNCED, Fate.COMPLAINED}


@dataclass(frozen=True, kw_only=True)
class Due:
    """One report: `happened_s` and `due_s` count from the acceptance. A lost one is never posted."""

    event: Event
    happened_s: float
    due_s: float
    lost: bool = False


def fate_of(address: str, dials: Dials, number: int, *, listed: bool) -> Fate:
    """Return the fate of the mail with this number, counted since the seed was turned, to an address that is or is not
    on the provider's list. Addresses that name their fate have it every time."""
    for start, fate in LOCAL_PARTS.items():
        if address.lower().startswith(start):
            return fate
    if listed:
        return Fate.SUPPRESSED
    mark = draw(dials.seed, "fate", number)
    for fate, rate in (
        (Fate.BOUNCED, dials.bounce_rate),
        (Fate.COMPLAINED, dials.complaint_rate),
        (Fate.DEFERRED, dials.deferred_rate),
    ):
        if mark < rate:
            return fate
        mark -= rate
    return Fate.DELIVERED


def planned(fate: Fate, dials: Dials, number: int) -> list[Due]:
    """Return what is reported of a mail, with the harm the dials ask for, in the order of its posts."""
    return sorted(_harmed(fate, dials, number), key=lambda due: due.due_s)


def _harmed(fate: Fate, dials: Dials, number: int) -> Iterator[Due]:
    story = STORY[fate]
    places = list(range(len(story)))
    if dials.webhook_shuffle:
        places.sort(key=lambda place: draw(dials.seed, "shuffle", number, place))
    for order, (event, place) in enumerate(zip(story, places, strict=True)):
        late_s = dials.webhook_delay_ms / 1000
        due = Due(
            event=event,
            happened_s=order * GAP_S,
            due_s=place * GAP_S + late_s,
            lost=draw(dials.seed, "lost", number, order) < dials.webhook_lost_rate,
        )
        yield due
        if not due.lost and draw(dials.seed, "doubled", number, order) < dials.webhook_doubled_rate:
            yield Due(event=event, happened_s=due.happened_s, due_s=due.due_s + GAP_S)
