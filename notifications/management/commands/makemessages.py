"""Django's makemessages, told what is to be translated: all that people see, and nothing that only we see."""

from django.conf import settings
from django.core.management.base import CommandParser
from django.core.management.commands import makemessages

# The tools' English is good enough for operators and developers.
OURS = (
    *(".local*", "staticfiles*", "tests*", "docs*", "benchmarks*"),
    *("config/local*", "config/demo*", "config/prove*", "accounts/admin.py"),
    *("notifications/admin*", "notifications/simulator*", "notifications/management*", "notifications/previews.py"),
    *("templates/admin*", "templates/simulator*", "templates/previews*"),
)


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
