"""Messages that one statement hands over, until each has an answer or is taken back."""

import time
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from django.db import Error

from notifications.breaker.route import Route
from notifications.delivery.answers import Answers
from notifications.delivery.claim import hand_over, revert_hand_over
from notifications.delivery.record import RecordLostError, retry_until_written
from notifications.delivery.report import CLAIM_LOST
from notifications.delivery.run import REQUEUED, Run
from notifications.models import Message
from notifications.providers.base.deadline import CALL_MARGIN_S
from notifications.runtime.database import drop_connection

#: How long to wait for a database that fails while messages are taken back: a restart takes less.
REVERT_WITHIN_S = 10.0


class HandOver:
    def __init__(self, run: Run, route: Route) -> None:
        self.run = run
        self.route = route
        self.answers = Answers(run, route)
        # When a call can no longer begin: it could outlive the lease.
        self.until = 0.0

    @property
    def is_late(self) -> bool:
        # A worker may hang, or calls take long.
        return time.monotonic() > self.until

    @property
    def may_call(self) -> bool:
        # The route may ask the database, which may hang, so the time is checked after it.
        return self.route.accepts_email() and not self.is_late and not self.run.is_over

    def mark(self, messages: Sequence[Message]) -> set[UUID]:
        """Hand the messages over; return the ids of those that may be called for."""
        if not messages:
            return set()
        self.until = time.monotonic() + CALL_MARGIN_S
        try:
            marked = hand_over(messages, self.route.name)
        except Error:
            # The mark may have been written, but no call follows it.
            with suppress(RecordLostError):
                self._revert(messages)
            raise
        if lost := len(messages) - len(marked):
            self.run.report.counts[CLAIM_LOST] += lost
        return marked

    def before_call(self) -> None:
        # The call only waits: other threads can use the connection and the processor meanwhile.
        drop_connection()
        self.run.turn.end()

    def end(self, rest: Sequence[Message]) -> None:
        """Record the acceptances, whatever has happened, and take back the messages without a call."""
        self.run.has_tried = True
        try:
            self.answers.record_accepted()
        finally:
            if rest:
                self._revert(rest)

    def left(self, rest: Sequence[Message]) -> list[Message]:
        """Return the messages that this task may try again."""
        if rest and self.is_late:
            # Whatever was slow may still be: left to the relay.
            self.run.report.counts[REQUEUED] += len(rest)
            return []
        return list(rest)

    def _revert(self, messages: Sequence[Message]) -> None:
        retry_until_written(lambda: revert_hand_over(messages), within_s=REVERT_WITHIN_S)
