"""Follow one message until its outcome is known."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from notifications.models import Message
from notifications.providers import registry
from notifications.providers.base.account import Finding, bad, good, note
from notifications.rules.outcomes import Outcome
from notifications.rules.states import Status

READ_EVERY_S = 0.25
OPEN = {Outcome.UNKNOWN, Outcome.DEFERRED}
# No event leads out of these automatically.
ENDED = {Status.SUPPRESSED, Status.EXPIRED, Status.CANCELLED, Status.DEAD}


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """The state of a message when it was read."""

    status: Status
    outcome: Outcome = Outcome.UNKNOWN
    reason: str = ""
    provider: str = ""
    attempts: int = 0

    @property
    def settled(self) -> bool:
        return self.outcome not in OPEN or self.status in ENDED

    def __str__(self) -> str:
        parts = [str(self.status.value)]
        if self.provider:
            parts.append(f"by {self.provider}")
        if self.attempts > 1:
            parts.append(f"attempt {self.attempts}")
        if self.reason:
            parts.append(f"({self.reason})")
        if self.outcome is not Outcome.UNKNOWN:
            parts.append(f"→ {self.outcome.value}")
        return " ".join(parts)


def follow(message_id: UUID, *, wait_s: float) -> Iterator[tuple[float, Sighting]]:
    """Yield each new state of a message, with the seconds since the start.

    The first one comes immediately; the last when it is settled or `wait_s` is over. Raises Message.DoesNotExist if the
    row is deleted.
    """
    started = time.monotonic()
    before: Sighting | None = None
    while True:
        seen = read_state(message_id)
        waited_s = time.monotonic() - started
        if seen != before:
            yield waited_s, seen
        before = seen
        if seen.settled or waited_s >= wait_s:
            return
        time.sleep(min(READ_EVERY_S, max(wait_s - waited_s, 0)))


def read_state(message_id: UUID) -> Sighting:
    message = Message.objects.get(id=message_id)
    return Sighting(
        status=Status(message.status),
        outcome=Outcome(message.outcome),
        reason=message.status_reason,
        provider=message.provider,
        attempts=message.attempts,
    )


# What it means if a message gets no further.
WAITING: dict[Status, tuple[str, str]] = {
    Status.QUEUED: (
        "still queued: no worker has sent it",
        "Check that the workers and the relay are running (manage.py status), and the reason above.",
    ),
    Status.SENDING: (
        "still being sent",
        "The provider is slow to answer. Check the message in the admin later.",
    ),
    Status.UNCERTAIN: (
        "the provider's answer was lost; the message may have been accepted",
        "A report of the provider will settle it. Check the message in the admin later.",
    ),
    Status.SENT: (
        "sent, but not reported as delivered",
        "Check that the provider's webhook is set up and reaches this site. See docs/how-to/check-a-provider.md.",
    ),
}
REACHED: dict[Outcome, Finding] = {
    Outcome.DELIVERED: good("test", Outcome.DELIVERED, "the recipient's server accepted it"),
    Outcome.BOUNCED: bad(
        "test", Outcome.BOUNCED, "it bounced", "The webhook works. The timeline in the admin shows the server's answer."
    ),
    Outcome.REJECTED: bad(
        "test",
        Outcome.REJECTED,
        "the provider accepted it, then dropped it",
        "The timeline in the admin shows the reason.",
    ),
    Outcome.COMPLAINED: bad("test", Outcome.COMPLAINED, "it was reported as spam", "The webhook works."),
}


def conclusion(last: Sighting, *, wait_s: float) -> Finding:
    # Without a report, the delivery is unknown, which is not a failure.
    if last.outcome in REACHED:
        return REACHED[last.outcome]
    if last.status in ENDED:
        return bad(
            "test",
            last.status,
            f"it ended as {last.status.value}: {last.reason or 'no reason recorded'}",
            "Nothing was sent.",
        )
    text, hint = WAITING[last.status]
    if last.outcome is Outcome.DEFERRED:
        return note(
            "test",
            Outcome.DEFERRED,
            f"the recipient's server deferred it (after {wait_s:g} s)",
            "The provider retries.",
        )
    waited = f"{text} (after {wait_s:g} s)"
    if last.status is not Status.SENT:
        return bad("test", last.status, waited, hint)
    if not registry.reports(last.provider):
        hint = f"{last.provider} reports no deliveries. Check the mailbox."
    return note("test", last.status, waited, hint)
