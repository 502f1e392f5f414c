"""Delete or count the rows that are older than the settings KEEP_…_DAYS allow."""

from math import inf
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from notifications.operations import retention

# The command reports its progress after this many rows of a sort.
REPORT_EVERY = 10_000


class Command(BaseCommand):
    help = "Delete old messages, events and task results, as beat does every hour. Safe to interrupt and to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count the rows")

    def handle(self, *args: Any, **options: Any) -> None:
        if first := retention.uncounted_since():
            self.stdout.write(
                f"Kept for now: what happened since {first:%Y-%m-%d %H:%M} UTC. Beat has not counted it for the"
                " dashboard yet."
            )
        if options["dry_run"]:
            for name, count in retention.count_old_rows():
                at_least = "at least " if count >= retention.MOST_COUNTED else ""
                self.stdout.write(f"{at_least}{count} {name} would be deleted.")
            return
        deleted = retention.delete_old_rows(time_limit_s=inf, report=self.report)
        self.stdout.write(f"{deleted or 'nothing'} deleted.")

    def report(self, name: str, count: int) -> None:
        if count % REPORT_EVERY < retention.BATCH:
            self.stdout.write(f"{count} {name} so far …")
