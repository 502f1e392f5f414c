"""Enqueue welcome emails for users created without a signal: by bulk_create, fixtures or SQL."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.emails import WELCOME, welcome_draft
from accounts.models import User
from notifications import enqueue_many, never_written_to

BATCH = 500


class Command(BaseCommand):
    help = "Enqueue a welcome email for each active, unconfirmed user without one. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count the users")

    def handle(self, *args: Any, **options: Any) -> None:
        missing = never_written_to(User.objects.filter(is_active=True, confirmed_at__isnull=True), WELCOME.name)
        if options["dry_run"]:
            self.stdout.write(f"{missing.count()} users have no welcome email.")
            return
        count, after = 0, 0
        # Pages by key: behind a pooler in transaction mode no cursor stays open between two statements.
        while page := list(missing.filter(pk__gt=after).order_by("pk")[:BATCH]):
            count += len(enqueue_many([welcome_draft(user) for user in page]))
            after = page[-1].pk
        self.stdout.write(f"{count} welcome emails enqueued.")
