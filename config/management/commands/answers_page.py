"""Print docs/reference/provider-answers.md, or write it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.environment import BASE_DIR
from notifications.operations.answers_page import page


class Command(BaseCommand):
    help = "Print the page that says what a provider's answer means, or write it to docs/reference/provider-answers.md."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help="write docs/reference/provider-answers.md")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["write"]:
            (BASE_DIR / "docs/reference/provider-answers.md").write_text(page())
        else:
            self.stdout.write(page(), ending="")
