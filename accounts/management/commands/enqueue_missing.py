"""Enqueue welcome emails for users created without a signal: by bulk_create, fixtures or SQL."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models import QuerySet
from django.utils import timezone

from accounts.emails import WELCOME, welcome_draft
from accounts.models import User
from notifications import enqueue_many, kept_for, never_written_to

BATCH = 500


class Command(BaseCommand):
    help = "Enqueue a welcome email for each active, unconfirmed user without one. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count the users")
        parser.add_argument(
            "--all", action="store_true", help="also users who joined before the oldest message that is kept"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        missing = never_written_to(User.objects.filter(is_active=True, confirmed_at__isnull=True), WELCOME.name)
        if not options["all"]:
            missing = self.without_doubtful(missing)
        if options["dry_run"]:
            self.stdout.write(f"{missing.count()} users have no welcome email.")
            return
        count, after = 0, 0
        # Pages by key: behind a pooler in transaction mode no cursor stays open between two statements.
        while page := list(missing.filter(pk__gt=after).order_by("pk")[:BATCH]):
            count += len(enqueue_many([welcome_draft(user) for user in page]))
            after = page[-1].pk
        self.stdout.write(f"{count} welcome emails enqueued.")

    def without_doubtful(self, users: QuerySet[User]) -> QuerySet[User]:
        # A welcome email that was sent long ago is deleted, and must not be sent again.
        kept = kept_for()
        if kept is None:
            return users
        since = timezone.now() - kept
        if doubtful := users.filter(date_joined__lt=since).count():
            text = f"{doubtful} users joined before {since:%Y-%m-%d} and may have had one; --all includes them."
            self.stdout.write(text)
        return users.filter(date_joined__gte=since)
