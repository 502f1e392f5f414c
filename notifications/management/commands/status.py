"""Print the status as text or JSON; exit with 1 if there are problems."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser, no_translations

from notifications.operations.current import current_status
from notifications.operations.figures import Lane, ProcessState, SystemStatus
from notifications.operations.finding import StatusFinding
from notifications.operations.problems import is_silent
from notifications.operations.status import bounced, many
from notifications.operations.wording import duration, time_until


class Command(BaseCommand):
    help = "Print the status of queues, providers and processes. Exits with 1 if there are problems."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        status, found = current_status()
        problems = [finding for finding in found if finding.is_problem]
        notices = [finding for finding in found if not finding.is_problem]
        if options["json"]:
            sentences = {"problems": list(map(str, problems)), "notices": list(map(str, notices))}
            codes = {"codes": [finding.code for finding in found]}
            self.stdout.write(json.dumps({**sentences, **codes, **(asdict(status) if status else {})}, indent=2))
        else:
            self.write_text(status, problems, notices)
        if problems:
            sys.exit(1)

    def write_text(
        self, status: SystemStatus | None, problems: list[StatusFinding], notices: list[StatusFinding]
    ) -> None:
        if problems:
            count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
            self.stdout.write(self.style.ERROR(f"{count}:"))
        elif notices:
            self.stdout.write(self.style.WARNING("No problems. For your attention:"))
        else:
            self.stdout.write(self.style.SUCCESS("No problems found."))
        for line in [*(f"  {finding}" for finding in [*problems, *notices]), *(summary(status) if status else [])]:
            self.stdout.write(line)


def summary(status: SystemStatus) -> Iterator[str]:
    yield ""
    yield f"{'stream':<10}{'due':>9}{'later':>9}{'published':>11}{'oldest due':>12}"
    yield from map(_lane, status.lanes)
    yield ""
    needs_decision = f"{many(status.held)} of them need a decision" if status.held else "all settled automatically"
    uncertain = many(status.uncertain + status.held)
    yield f"{many(status.sending)} sending, {uncertain} uncertain" + (
        f" ({needs_decision})" if uncertain != "0" else ""
    )
    brake = status.brake
    slowed = f"; slowed, the last one is sent {time_until(brake.queue_s)}" if brake.queue_s else ""
    yield f"sign-up emails bounced within {brake.window_min} min: {bounced(brake) or 'none'}{slowed}"
    for traffic in status.traffic:
        more = "+" if traffic.more else ""
        hour = f"{traffic.hour:,}{more} in the last hour; {traffic.failed:,}{more} failed attempts in the last hour"
        yield f"{traffic.provider}: {many(traffic.minute)} sent in the last minute, {hour}"
    for circuit in status.circuits:
        yield f"{circuit.provider}: circuit {circuit.state} {circuit.reason}".rstrip()
    for dead in status.dead:
        counts = (
            f"{many(dead.hour)} in the last hour, {many(dead.day)} in the last 24 hours, {many(dead.ever)} in total"
        )
        yield f"dead letters with {dead.cause or 'no recorded error'}: {counts}"
    yield ""
    yield from map(_process, status.processes)


def _lane(lane: Lane) -> str:
    published = "?" if lane.published is None else many(lane.published)
    oldest = duration(lane.oldest_s) if lane.due else "-"
    pace = "" if lane.pace is None else f"  limited to {lane.pace:.3g}/s"
    paused = f"  {many(lane.paused)} paused" if lane.paused else ""
    return f"{lane.stream.value:<10}{many(lane.due):>9}{many(lane.later):>9}{published:>11}{oldest:>12}{pace}{paused}"


def _process(process: ProcessState) -> str:
    state = "no heartbeat" if is_silent(process) else process.trouble or "OK"
    return f"{process.name}: {state}, last heartbeat {duration(process.silent_s)} ago"
