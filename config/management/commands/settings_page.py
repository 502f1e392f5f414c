"""Print docs/reference/settings.md, or write it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.environment import BASE_DIR
from config.settings_page import page


class Command(BaseCommand):
    help = "Print the page of all settings, or write it to docs/reference/settings.md."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help="write docs/reference/settings.md")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["write"]:
            (BASE_DIR / "docs/reference/settings.md").write_text(page())
        else:
            self.stdout.write(page(), ending="")
