"""What the steps of one delivery task share."""

import random
import time
from collections.abc import Callable
from uuid import UUID

from notifications.budget.allowance import Allowance
from notifications.delivery import fate
from notifications.delivery.attempt import Carrier
from notifications.delivery.record import record_skip
from notifications.delivery.relevance import Facts, Skip
from notifications.delivery.report import CLAIM_LOST, DeliveryReport
from notifications.delivery.turn import Turn
from notifications.models import Message
from notifications.rules import retry
from notifications.rules.states import Stream

#: After this long, a task leaves the rest of its ids to the relay, so that urgent email waits for a few calls and not
#: for a whole chunk.
SLICE_S = 3.0
#: The result of messages that the relay publishes again immediately.
REQUEUED = "requeued"

Relevant = tuple[Message, Facts]


class Run:
    def __init__(self, stream: Stream, carrier: Carrier, *, size: int, stopping: Callable[[], bool]) -> None:
        self.stream = stream
        self.carrier = carrier
        self.report = DeliveryReport(size=size)
        self.turn = Turn()
        # Of the current group.
        self.allowance = Allowance("", stream)
        # Messages that cannot be in a batch.
        self.alone: set[UUID] = set()
        self.stopping = stopping
        self.until = time.monotonic() + SLICE_S
        # An error while it is delivered may be its fault.
        self.current: Message | None = None
        self.has_tried = False

    @property
    def is_single(self) -> bool:
        return self.report.size == 1

    @property
    def is_over(self) -> bool:
        # At least one message is tried, however slow everything is.
        return self.stopping() or (self.has_tried and time.monotonic() > self.until)

    def skip(self, message: Message, reason: Skip, *, age_s: float) -> None:
        pause_s = retry.misfit_pause_s(age_s, is_bulk=self.stream is Stream.BULK, jitter=jitter())
        if record_skip(message, reason, pause_s=pause_s):
            self.report.counts[reason.event.value] += 1
            self.report.fates[fate.of_skip(reason)] += 1
        else:
            self.report.counts[CLAIM_LOST] += 1
        self.has_tried = True


def jitter() -> float:
    return random.random()  # noqa: S311 - not for security
