"""The relay's process: one round after another, until it is told to stop.

Each round first reads what providers have reported, so that an uncertain message is settled by its provider's word
before its kind's policy settles it.
"""

import logging
import signal
import threading
import time
from collections import Counter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error

from config import heartbeat, startup
from config.database import is_away, let_go, why
from config.environment import Role
from notifications.feedback import reading
from notifications.outbox import relay

logger = logging.getLogger(__name__)
# A database that is away is asked again after this long.
PAUSE_S = 1.0
LONG_ROUND_S = 15.0


class Command(BaseCommand):
    help = (
        "Publish due messages and recover what lost workers left. Several may run; they keep out of each other's way."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="do one round and stop")

    def handle(self, *args: Any, **options: Any) -> None:
        startup.require(Role.RELAY, *([Role.MANAGE] if options["once"] else []))
        if options["once"]:
            events = _read_events()
            self.stdout.write(f"{relay.run_once()}, events read: {dict(events)}")
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        # Another may have been killed between taking rows and publishing them, and this one be its successor.
        done, turned_at = relay.Round(cut_short=True), time.monotonic()
        row = heartbeat.Row(heartbeat.name_of("relay"), lambda: _trouble(time.monotonic() - turned_at))
        row.start()
        while not stop.is_set():
            done, pause_s = _round(done)
            turned_at = time.monotonic()
            stop.wait(pause_s)
        row.stop()


def _trouble(still_s: float) -> str:
    return f"one round has taken {still_s:.0f} s so far" if still_s > LONG_ROUND_S else ""


def _round(before: relay.Round) -> tuple[relay.Round, float]:
    """Do one round and return it, and how long to wait for the next, in seconds."""
    began = time.monotonic()
    read = _read_events()
    try:
        done = relay.run_once(before)
    except Error as error:
        if not is_away(error):
            raise
        logger.warning("the database is away (%s)", why(error))
        let_go()
        # It turns, and to start it anew would mend nothing.
        heartbeat.touch()
        return relay.Round(cut_short=True), PAUSE_S
    heartbeat.touch()
    if not done.idle:
        logger.info("%s", done)
    return done, _pause_s(done, read.total(), time.monotonic() - began)


def _read_events() -> Counter[str]:
    """Read what has been reported. Trouble with that is no reason not to publish; it is tried again next time."""
    try:
        read = reading.read_due()
    except Error as error:
        logger.warning("reported events could not be read (%s)", why(error))
        let_go()
        return Counter()
    if read:
        logger.info("events read: %s", dict(read))
    return read


def _pause_s(done: relay.Round, events_read: int, took_s: float) -> float:
    """Return how long to wait for the next round."""
    if events_read == reading.BATCH:
        # A full batch of events means that more are waiting.
        return 0.0
    if done.paced:
        # What the round itself took is part of it: what it hands out is meant for so long and no longer.
        return min(float(settings.RELAY_INTERVAL_S), max(0.0, relay.PACED_ROUND_S - took_s))
    return float(settings.RELAY_INTERVAL_S)
