"""Delete what the hourly purge would delete, or list it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts import purging


class Command(BaseCommand):
    help = "Delete accounts that were signed up for, were sent a link long ago and were never confirmed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only list them, by number and reason")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["dry_run"]:
            self.stdout.write(f"{purging.purge_all()} accounts deleted.")
            return
        count = 0
        for count, (user, reason) in enumerate(purging.due(), start=1):  # noqa: B007 - the last one is the count
            self.stdout.write(f"account {user.pk}: {reason}")
        self.stdout.write(f"{count} accounts would be deleted.")
