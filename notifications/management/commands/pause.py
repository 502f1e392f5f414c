"""Pause a stream, a kind or a provider."""

import getpass
import re
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications import kinds
from notifications.conf import settings
from notifications.models import Pause
from notifications.operations.pausing import is_critical
from notifications.outbox.pausing import AlreadyPausedError, start_pause
from notifications.rules.states import Stream

UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Command(BaseCommand):
    help = "Pause a stream, a kind or a provider. Its messages stay queued until it is resumed."

    def add_arguments(self, parser: CommandParser) -> None:
        add_target(parser)
        parser.add_argument("--reason", required=True, help="shown to all operators")
        parser.add_argument("--lasts", default="", help="ends automatically after this time: 30m, 2h, 1d")
        parser.add_argument("--by", default="", help="your name; by default that of the system's user")

    def handle(self, *args: Any, **options: Any) -> None:
        what, name = target_of(options)
        require_known(what, name)
        try:
            made = start_pause(
                what, name, by=options["by"] or user_name(), reason=options["reason"], lasts=lasts(options)
            )
        except AlreadyPausedError as error:
            found = error.args[0]
            raise CommandError(f"{what} {name} is already paused by {found.by}: {found.reason}") from None
        self.stdout.write(f"{what} {name} is paused. It takes effect within 2 s.")
        if made.until:
            self.stdout.write(f"It ends at {made.until:%Y-%m-%d %H:%M:%S} UTC.")
        if is_critical(what, name):
            warning = "Users get no password resets, confirmations and security notices now."
            self.stdout.write(self.style.WARNING(warning))


def add_target(parser: CommandParser) -> None:
    parser.add_argument("what", choices=Pause.What.values)
    parser.add_argument("name", help="critical, default or bulk; the name of a kind; the name of a provider")


def target_of(options: dict[str, Any]) -> tuple[str, str]:
    return options["what"], options["name"]


def require_known(what: str, name: str) -> None:
    known = {
        Pause.What.STREAM: Stream.values,
        Pause.What.KIND: sorted(kinds.KINDS),
        Pause.What.PROVIDER: settings.EMAIL_PROVIDERS,
    }[Pause.What(what)]
    if name not in known:
        raise CommandError(f"No {what} is called {name!r}. Known: {', '.join(known)}.")


def lasts(options: dict[str, Any]) -> timedelta | None:
    if not (text := options["lasts"]):
        return None
    if not (found := re.fullmatch(r"([1-9]\d{0,3})([mhd])", text)):
        raise CommandError(f"--lasts {text!r} is not a duration. Use 30m, 2h or 1d.")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def user_name() -> str:
    # A container's user may have no name.
    try:
        return f"{getpass.getuser()} (manage.py)"
    except (KeyError, OSError):
        return "manage.py"
