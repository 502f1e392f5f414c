"""How everything stands, in text or JSON; ends with 1 if there are problems."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from notifications.admin import status as page
from notifications.operations.problems import problems
from notifications.operations.status import MOST, Status


class Command(BaseCommand):
    help = "Say how everything stands. Ends with 1 if there are problems, so that a monitor can ask."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        status = page.now()
        wrong = problems(status)
        if options["json"]:
            self.stdout.write(json.dumps({**asdict(status), "problems": wrong}, indent=2))
        else:
            for line in lines(status, wrong):
                self.stdout.write(line)
        if wrong:
            sys.exit(1)


def lines(status: Status, wrong: list[str]) -> Iterator[str]:
    yield "All is well." if not wrong else f"{len(wrong)} problem{'s' if len(wrong) > 1 else ''}:"
    yield from (f"  {sentence}" for sentence in wrong)
    yield f"{'stream':<10}{'due':>9}{'later':>9}{'published':>11}{'oldest, s':>11}"
    for lane in status.lanes:
        published = "?" if lane.published is None else lane.published
        yield f"{lane.stream.value:<10}{_many(lane.due):>9}{_many(lane.later):>9}{published:>11}{lane.oldest_s:>11.0f}"
    yield f"sending {_many(status.sending)}, uncertain {_many(status.uncertain)}, held {_many(status.held)}"
    for provider, sent in status.sent_per_minute.items():
        yield f"{provider}: {_many(sent)} sent in the last minute"
    for circuit in status.circuits:
        yield f"{circuit.provider}: circuit {circuit.state} {circuit.reason}".rstrip()
    for dead in status.dead:
        yield f"dead of {dead.fingerprint}: {_many(dead.count)}, {dead.within_the_hour} within the hour"
    for process in status.processes:
        yield f"{process.name}: {process.trouble or f'last heard of {process.silent_s:.0f} s ago'}"


def _many(count: int) -> str:
    return f"{MOST}+" if count >= MOST else str(count)
