"""Delete or list the accounts that the hourly purge deletes."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts import purging


class Command(BaseCommand):
    help = "Delete accounts that were never confirmed although a link was sent long ago."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only list their ids and the reasons")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["dry_run"]:
            self.stdout.write(f"{purging.purge_all()} accounts deleted.")
            return
        count = 0
        for count, (user, reason) in enumerate(purging.due(), start=1):  # noqa: B007 - the last value is the count
            self.stdout.write(f"account {user.pk}: {reason}")
        self.stdout.write(f"{count} accounts would be deleted.")
