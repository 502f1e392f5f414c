"""Replay dead letters after their cause is fixed."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.utils import timezone

from notifications import kinds
from notifications.delivery.replay import DeadGroup, ReplayVerdict, dead_letters, replay

UNITS = {"m": "minutes", "h": "hours", "d": "days"}
HEADINGS = ("error", "kind", "dead", *ReplayVerdict, "oldest", "newest")


class Command(BaseCommand):
    help = "Replay dead letters that are still relevant. Attempts are reset; the expiry time is not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--kind", default="", help="only this kind")
        parser.add_argument("--error", default="", help="only with this error, or one that starts with it")
        parser.add_argument("--since", default="", help="only those dead since: 2h, 3d, 2026-11-24 or 2026-11-24T10:00")
        parser.add_argument(
            "--all", action="store_true", help="replay all; required without --kind, --error and --since"
        )
        parser.add_argument("--dry-run", action="store_true", help="only print what would happen")

    def handle(self, *args: Any, **options: Any) -> None:
        for option in ("kind", "error", "since"):
            check_text(option, options[option])
        kind, error, dry_run = options["kind"], options["error"], options["dry_run"]
        if not (kind or error or options["since"] or options["all"]):
            raise CommandError("Choose dead letters with --kind, --error, --since or --all.")
        since = parse_time(options["since"]) if options["since"] else None
        check_kind(kind)
        tally = replay(dead_letters(kind=kind, error=error, since=since), dry_run=dry_run)
        for line in table([cells(row) for row in tally.rows]):
            self.stdout.write(line)
        done = f"{tally.relevant} of {tally.dead} would be" if dry_run else f"{tally.replayed} of {tally.dead}"
        self.stdout.write(f"{done} replayed.")


def check_text(option: str, text: str) -> None:
    """Raise CommandError for invalid text, which the database would refuse."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise CommandError(f"--{option} is not valid text: {text!r}.") from None


def parse_time(text: str) -> datetime | Combinable:
    """Parse a time. Relative times use the database's clock. Raises CommandError."""
    if ago := re.fullmatch(r"(\d{1,4})([mhd])", text):
        return Now() - timedelta(**{UNITS[ago[2]]: int(ago[1])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--since {text!r} is not a time. Use 2h, 3d, 2026-11-24 or 2026-11-24T10:00.") from None
    return timezone.make_aware(at) if timezone.is_naive(at) else at


def check_kind(kind: str) -> None:
    """Raise CommandError for an unknown kind. A removed kind may have left dead letters."""
    if kind and kind not in kinds.KINDS and not dead_letters(kind=kind).exists():
        known = ", ".join(sorted(kinds.KINDS))
        raise CommandError(f"No kind is called {kind!r}, and no dead letter has it. Kinds: {known}.")


def cells(row: DeadGroup) -> list[str]:
    counts = [str(row.counts[verdict]) for verdict in ReplayVerdict]
    times = [timezone.localtime(at).isoformat(" ", "seconds") for at in (row.oldest, row.newest)]
    return [row.fingerprint or "-", row.kind, str(row.dead), *counts, *times]


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    lines = [HEADINGS, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
