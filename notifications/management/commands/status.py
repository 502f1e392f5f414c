"""Print the status as text or JSON; exit with 1 if there are problems."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import Error

from notifications.operations.problems import Code, StatusFinding, duration, findings, is_silent
from notifications.operations.status import Lane, ProcessState, SystemStatus, bounced, collect, many
from notifications.runtime.database import error_name, is_full, is_outage

NO_CONNECTION = (
    "All connections of the database are in use, so people get an error page. Raise max_connections, lower"
    " DATABASE_POOL_SIZE, or put a pooler in front (docs/how-to/deploy.md)."
)


class Command(BaseCommand):
    help = "Say how everything stands. Ends with 1 if there are problems, so that a monitor can ask."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        status, found = current_status()
        wrong = [finding for finding in found if finding.is_problem]
        notices = [finding for finding in found if not finding.is_problem]
        if options["json"]:
            told = {"problems": list(map(str, wrong)), "notices": list(map(str, notices))}
            codes = {"codes": [finding.code for finding in found]}
            self.stdout.write(json.dumps({**told, **codes, **(asdict(status) if status else {})}, indent=2))
        else:
            self.say(status, wrong, notices)
        if wrong:
            sys.exit(1)

    def say(self, status: SystemStatus | None, wrong: list[StatusFinding], notices: list[StatusFinding]) -> None:
        if wrong:
            count = "1 problem" if len(wrong) == 1 else f"{len(wrong)} problems"
            self.stdout.write(self.style.ERROR(f"{count}:"))
        elif notices:
            self.stdout.write(self.style.WARNING("No problems. For your attention:"))
        else:
            self.stdout.write(self.style.SUCCESS("No problems found."))
        for line in [*(f"  {finding}" for finding in [*wrong, *notices]), *(summary(status) if status else [])]:
            self.stdout.write(line)


def current_status() -> tuple[SystemStatus | None, list[StatusFinding]]:
    # A database outage is the only finding then.
    try:
        status = collect()
    except Error as error:
        if not is_outage(error):
            raise
        if is_full(error):
            return None, [StatusFinding(Code.DATABASE_FULL, NO_CONNECTION)]
        sentence = f"The database does not answer ({error_name(error)}): start it. Until then nobody can sign up."
        return None, [StatusFinding(Code.DATABASE_AWAY, sentence)]
    return status, findings(status)


def summary(status: SystemStatus) -> Iterator[str]:
    yield ""
    yield f"{'stream':<10}{'due':>9}{'later':>9}{'published':>11}{'oldest due':>12}"
    yield from map(_lane, status.lanes)
    yield ""
    yield f"sending {many(status.sending)}, uncertain {many(status.uncertain)}, held for a person {many(status.held)}"
    brake = status.brake
    line = f"; slowed, the last in line in {duration(brake.line_s)}" if brake.line_s else ""
    yield f"sign-up emails that bounced within {brake.window_min} min: {bounced(brake)}{line}"
    for traffic in status.traffic:
        more = "+" if traffic.more else ""
        hour = f"{traffic.hour:,}{more} in the last hour, {traffic.failed:,}{more} attempts failed"
        yield f"{traffic.provider}: {many(traffic.minute)} sent in the last minute, {hour}"
    for circuit in status.circuits:
        yield f"{circuit.provider}: circuit {circuit.state} {circuit.reason}".rstrip()
    for dead in status.dead:
        counts = f"{many(dead.hour)} in the last hour, {many(dead.day)} in the last day, {many(dead.ever)} in all"
        yield f"dead of {dead.cause or 'no cause'}: {counts}"
    yield ""
    yield from map(_process, status.processes)


def _lane(lane: Lane) -> str:
    published = "?" if lane.published is None else many(lane.published)
    oldest = duration(lane.oldest_s) if lane.due else "-"
    paced = "" if lane.pace is None else f"  held back to {lane.pace:.3g} a second"
    return f"{lane.stream.value:<10}{many(lane.due):>9}{many(lane.later):>9}{published:>11}{oldest:>12}{paced}"


def _process(process: ProcessState) -> str:
    says = "silent" if is_silent(process) else process.trouble or "OK"
    return f"{process.name}: {says}, last heard of {duration(process.silent_s)} ago"
