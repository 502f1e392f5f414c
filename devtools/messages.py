"""Collect the texts to translate: Django's makemessages, restricted to what users and administrators see."""

import os
import re
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandParser
from django.core.management.commands import makemessages

# Commands, logs and developers' pages are in English.
UNTRANSLATED = (
    *(".local*", "staticfiles*", "tests*", "docs*", "devtools*"),
    *("notifications/management*", "notifications/previews.py"),
    "notifications/templates/notifications/previews*",
)
CREATED = re.compile(r'^"POT-Creation-Date: .*$', re.MULTILINE)


class Command(makemessages.Command):
    # A fuzzy match looks like a translation.
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(
            locale=[code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE],
            ignore_patterns=[*UNTRANSLATED],
            # Without line numbers, most changes of a template leave the file as it is.
            add_location="file",
            no_obsolete=True,
            no_wrap=True,
        )

    def write_po_file(self, potfile: str, locale: str) -> None:
        # Keeps the date if nothing else changes.
        po_file = Path(potfile).parent / locale / "LC_MESSAGES" / f"{self.domain}.po"
        created = CREATED.search(po_file.read_text()) if po_file.exists() else None
        super().write_po_file(potfile, locale)
        if created:
            po_file.write_text(CREATED.sub(lambda _: created[0], po_file.read_text(), count=1))


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    call_command(Command())


if __name__ == "__main__":
    main()
