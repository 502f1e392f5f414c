"""Django's makemessages, restricted to what users see."""

import re
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandParser
from django.core.management.commands import makemessages

# The tools' English is good enough for operators and developers.
OURS = (
    *(".local*", "staticfiles*", "tests*", "docs*", "devtools*", "accounts/admin.py"),
    *("notifications/admin*", "notifications/management*", "notifications/previews.py"),
    *("templates/admin*", "notifications/templates/admin*", "notifications/templates/notifications*"),
)
MADE = re.compile(r'^"POT-Creation-Date: .*$', re.MULTILINE)


class Command(makemessages.Command):
    # A guess that looks like a translation is worse than none.
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(
            locale=[code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE],
            ignore_patterns=[*OURS],
            # Without line numbers a change of a template changes nothing else; the files say where to look.
            add_location="file",
            no_obsolete=True,
            no_wrap=True,
        )

    def write_po_file(self, potfile: str, locale: str) -> None:
        # The date alone is no change, and would change the compiled file too.
        po_file = Path(potfile).parent / locale / "LC_MESSAGES" / f"{self.domain}.po"
        made = MADE.search(po_file.read_text()) if po_file.exists() else None
        super().write_po_file(potfile, locale)
        if made:
            po_file.write_text(MADE.sub(lambda _: made[0], po_file.read_text(), count=1))
