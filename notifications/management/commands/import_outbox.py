"""Queue in Mailroom what another package has queued."""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications.outbox.moving.mailer import Mailer
from notifications.outbox.moving.post_office import PostOffice
from notifications.outbox.moving.take_over import BusyError, OtherDatabaseError, Source, Takeover, take_over

SOURCES: dict[str, Callable[[], Source]] = {"post_office": PostOffice, "mailer": Mailer}
#: The rows that are named.
MOST_NAMED = 20


class Command(BaseCommand):
    help = "Queue what another package has queued, and mark it there. Stop the other package's worker first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="source", choices=SOURCES, required=True, help="the app of the package")
        parser.add_argument("--dry-run", action="store_true", help="only print what would happen")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["source"]
        if not apps.is_installed(name):
            raise CommandError(f"{name} is not in INSTALLED_APPS. Keep it there until its queue is empty.")
        try:
            tally = take_over(SOURCES[name](), dry_run=options["dry_run"])
        except BusyError:
            raise CommandError(f"{name} is sending now. Stop its worker, then try again.") from None
        except OtherDatabaseError:
            raise CommandError(f"The tables of {name} are in another database than Mailroom's.") from None
        self.report(tally, dry_run=options["dry_run"])

    def report(self, tally: Takeover, *, dry_run: bool) -> None:
        for stream, count in sorted(tally.by_stream.items()):
            self.stdout.write(f"{stream}: {count}")
        if tally.without_recipients:
            self.stdout.write(f"left, without recipients: {tally.without_recipients}")
        done = "would be queued" if dry_run else "queued"
        self.stdout.write(f"{tally.by_stream.total()} {done}.")
        for key, error in tally.unreadable[:MOST_NAMED]:
            self.stderr.write(f"row {key} cannot be queued: {error}")
        if tally.unreadable:
            raise CommandError(f"{len(tally.unreadable)} rows cannot be queued and are left as they are.")
