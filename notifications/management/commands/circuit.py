"""Show, open or close the circuits of the providers."""

from typing import Any

import redis
from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications.breaker import permits
from notifications.conf import settings

ACTS = {"open": permits.open_by_operator, "close": permits.close_by_operator}


class Command(BaseCommand):
    help = "Show the circuits of the providers; open or close one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", nargs="?", choices=["status", *ACTS], default="status")
        parser.add_argument("provider", nargs="?", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        if act := ACTS.get(options["act"]):
            if options["provider"] not in settings.EMAIL_PROVIDERS:
                raise CommandError(f"Name a provider: {', '.join(settings.EMAIL_PROVIDERS)}.")
            try:
                act(options["provider"])
            except redis.RedisError as error:
                raise CommandError(f"Redis is not answering ({type(error).__name__}); nothing was changed.") from None
        for circuit in permits.states():
            self.stdout.write(f"{circuit.provider}: {circuit.state} {circuit.reason}".rstrip())
