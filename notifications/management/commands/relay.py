"""The relay's process: one thread publishes, another reads providers' events."""

import logging
import signal
import threading
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import Error

from notifications.conf import settings
from notifications.events import apply
from notifications.events.reader import Reader
from notifications.outbox import relay
from notifications.runtime import heartbeat, startup
from notifications.runtime.database import drop_connection, error_name, is_outage
from notifications.runtime.roles import Role

# Neither thread waits for the other. A provider's report settles an uncertain message before the kind's guarantee does:
# the relay waits while an older event is unread.

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
            events = apply.read_due()
            self.stdout.write(f"{relay.run_once()}, events read: {dict(events)}")
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        reader = Reader()
        reader.start()
        # Another may have been killed between taking rows and publishing them, and this one be its successor.
        done, turned_at = relay.Round(cut_short=True), time.monotonic()
        trouble = lambda: _trouble(time.monotonic() - turned_at) or reader.trouble  # noqa: E731 - it reads `turned_at`
        row = heartbeat.HeartbeatRow(heartbeat.name_of("relay"), trouble)
        row.start()
        while not stop.is_set():
            done, pause_s = _round(done)
            turned_at = time.monotonic()
            stop.wait(pause_s)
        reader.stop()
        row.stop()


def _trouble(still_s: float) -> str:
    return f"one round has taken {still_s:.0f} s so far" if still_s > LONG_ROUND_S else ""


def _round(before: relay.Round) -> tuple[relay.Round, float]:
    # The pause is in seconds.
    began = time.monotonic()
    try:
        done = relay.run_once(before)
    except Error as error:
        if not is_outage(error):
            raise
        logger.warning("the database is away (%s)", error_name(error))
        drop_connection()
        # It turns, and to start it anew would mend nothing.
        heartbeat.touch()
        return relay.Round(cut_short=True), PAUSE_S
    heartbeat.touch()
    if not done.idle:
        logger.info("%s", done)
    return done, _pause_s(done, time.monotonic() - began)


def _pause_s(done: relay.Round, took_s: float) -> float:
    # The pause is in seconds.
    if done.paced:
        # What the round itself took is part of it: what it hands out is meant for so long and no longer.
        return min(float(settings.RELAY_INTERVAL_S), max(0.0, relay.PACED_ROUND_S - took_s))
    return float(settings.RELAY_INTERVAL_S)
