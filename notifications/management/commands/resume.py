"""Resume what an operator has paused."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications.management.commands.pause import add_target, target_of, user_name
from notifications.outbox.pausing import end_pause


class Command(BaseCommand):
    help = "Resume a stream, a kind or a provider. The relay publishes its messages within seconds."

    def add_arguments(self, parser: CommandParser) -> None:
        add_target(parser)
        parser.add_argument("--by", default="", help="your name; by default that of the system's user")

    def handle(self, *args: Any, **options: Any) -> None:
        what, name = target_of(options)
        if not end_pause(what, name, by=options["by"] or user_name()):
            raise CommandError(f"{what} {name} is not paused.")
        self.stdout.write(f"{what} {name} is resumed.")
