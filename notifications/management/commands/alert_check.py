"""Send a test to the addresses that take alerts; exit with 1 if one fails."""

from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from notifications.conf import settings
from notifications.operations.alerts import channels, text


class Command(BaseCommand):
    help = "Send a test message to ALERT_WEBHOOK_URL and a ping to ALERT_PING_URL. Exits with 1 if one fails."

    def handle(self, *args: Any, **options: Any) -> None:
        calls: dict[str, Callable[[], str]] = {
            channels.WEBHOOK: lambda: channels.post(text.test_message()),
            channels.PING: lambda: channels.ping(""),
        }
        errors = {name: call() for name, call in calls.items() if getattr(settings, name)}
        for name, error in errors.items():
            self.stdout.write(self.style.ERROR(f"{name}: {error}") if error else self.style.SUCCESS(f"{name}: sent"))
        if not errors:
            raise CommandError(f"Set {' or '.join(calls)} first.")
        if any(errors.values()):
            raise CommandError("Not every address took the test.")
