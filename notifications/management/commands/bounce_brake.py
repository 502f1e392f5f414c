"""Show, release or cancel the messages that the bounce brake holds back."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from notifications.bounce_brake import brake
from notifications.outbox import brake_queue


class Command(BaseCommand):
    help = "Show, release or drop the messages that the bounce brake holds back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", nargs="?", choices=["status", "release", "drop"], default="status")
        parser.add_argument("--domain", default="", help="only messages to addresses of this domain")

    def handle(self, *args: Any, **options: Any) -> None:
        domain = options["domain"].strip().lstrip("@").lower()
        match options["act"]:
            case "release":
                self.stdout.write(f"{brake_queue.release(domain)} messages released.")
            case "drop":
                self.stdout.write(f"{brake_queue.drop(domain)} messages dropped.")
            case _:
                self._show()

    def _show(self) -> None:
        self.stdout.write(
            f"The brake is {'on' if brake.is_on() else 'off'}; {brake_queue.waiting_count()} messages are waiting."
        )
        for domain in brake_queue.domains():
            self.stdout.write(f"{domain.waiting:>6} to {domain.name}, caused by {domain.clients} clients")
