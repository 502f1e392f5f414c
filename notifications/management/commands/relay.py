"""The relay's process: a thread publishes, one reads providers' events, one calls receivers of changes."""

import logging
import signal
import threading
import time
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import Error

from notifications.changes.dispatch import dispatch
from notifications.changes.dispatcher import Dispatcher
from notifications.conf import settings
from notifications.events import apply
from notifications.events.reader import Reader
from notifications.models.pending_change import has_receivers
from notifications.outbox import backlog, relay
from notifications.runtime import heartbeat, startup
from notifications.runtime.database import drop_connection, error_name, is_outage
from notifications.runtime.roles import Role
from notifications.runtime.troubles import ROUND_SLOW, describe

# No thread waits for another. While an older event is unread, the relay settles no uncertain message: the event
# may settle it.

logger = logging.getLogger(__name__)
# The pause before the next try during an outage of the database.
PAUSE_S = 1.0
LONG_ROUND_S = 15.0
# How often the relay checks whether the workers need more of a backlog.
REFILL_CHECK_S = 0.05


class Command(BaseCommand):
    help = "Publish due messages and recover those of lost workers. Several relays can run at the same time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="run one round and exit")

    def handle(self, *args: Any, **options: Any) -> None:
        startup.require(Role.RELAY, *([Role.MANAGE] if options["once"] else []))
        if options["once"]:
            events = apply.read_due()
            changes = dispatch() if has_receivers() else 0
            self.stdout.write(f"{relay.run_once()}, events read: {dict(events)}, changes: {changes}")
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        dispatcher = Dispatcher() if has_receivers() else None
        threads: list[Reader | Dispatcher] = [Reader(), *([dispatcher] if dispatcher else [])]
        for thread in threads:
            thread.start()
        # A killed relay may have taken rows without publishing them.
        done, turned_at = relay.Round(cut_short=True), time.monotonic()
        current_trouble = lambda: _trouble(time.monotonic() - turned_at, threads)  # noqa: E731 - it reads `turned_at`
        row = heartbeat.HeartbeatRow(heartbeat.name_of("relay"), current_trouble)
        row.start()
        while not stop.is_set():
            done, pause_s = _round(done)
            turned_at = time.monotonic()
            if dispatcher:
                dispatcher.leave_slow()
            _wait(stop, done, pause_s)
        for thread in threads:
            thread.stop()
        row.stop()


def _trouble(still_s: float, threads: Sequence[Reader | Dispatcher]) -> str:
    # The first one, in the order of what email needs most.
    mine = describe(ROUND_SLOW, still_s) if still_s > LONG_ROUND_S else ""
    return next(filter(None, [mine, *(thread.trouble for thread in threads)]), "")


def _round(before: relay.Round) -> tuple[relay.Round, float]:
    # The pause is in seconds.
    began = time.monotonic()
    try:
        done = relay.run_once(before)
    except Error as error:
        if not is_outage(error):
            raise
        logger.warning("the database is not answering (%s)", error_name(error))
        drop_connection()
        # A restart would not help.
        heartbeat.touch()
        return relay.Round(cut_short=True), PAUSE_S
    heartbeat.touch()
    if not done.idle:
        logger.info("%s", done)
    return done, _pause_s(done, time.monotonic() - began)


def _pause_s(done: relay.Round, took_s: float) -> float:
    # The pause is in seconds.
    if done.paced:
        # Includes the round itself: what it publishes is meant for PACED_ROUND_S.
        return min(float(settings.RELAY_INTERVAL_S), max(0.0, backlog.PACED_ROUND_S - took_s))
    return float(settings.RELAY_INTERVAL_S)


def _wait(stop: threading.Event, done: relay.Round, pause_s: float) -> None:
    # Ends early if the workers have emptied half of a queue and more is due: they never wait for the next round.
    ends = time.monotonic() + pause_s
    while (left_s := ends - time.monotonic()) > 0:
        if stop.wait(min(left_s, REFILL_CHECK_S) if done.refill_at else left_s) or relay.has_room(done):
            return
