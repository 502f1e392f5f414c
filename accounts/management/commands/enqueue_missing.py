"""Enqueue welcome emails for users without one. Users made by bulk_create, fixtures or SQL send no signal."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.emails import WELCOME, welcome_draft
from accounts.models import User
from notifications import enqueue_many, never_written_to

BATCH = 500


class Command(BaseCommand):
    help = "Enqueue the welcome mail of every active, unconfirmed user who has none. Running it twice changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say how many there are")

    def handle(self, *args: Any, **options: Any) -> None:
        missing = never_written_to(User.objects.filter(is_active=True, confirmed_at__isnull=True), WELCOME.name)
        if options["dry_run"]:
            self.stdout.write(f"{missing.count()} users have no welcome mail.")
            return
        count, after = 0, 0
        # By key: a pooler in transaction mode keeps no cursor open between two statements.
        while page := list(missing.filter(pk__gt=after).order_by("pk")[:BATCH]):
            count += len(enqueue_many([welcome_draft(user) for user in page]))
            after = page[-1].pk
        self.stdout.write(f"{count} welcome mails enqueued.")
