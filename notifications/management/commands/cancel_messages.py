"""Cancel queued messages by filter."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications.management.commands.pause import user_name
from notifications.management.commands.replay_dead import check_text, parse_time
from notifications.outbox.cancelling import Count, QueuedFilter, cancel_matching, count
from notifications.rules.states import Stream


class Command(BaseCommand):
    help = "Cancel the queued messages that match all of the given options. Cancelled messages are never sent."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--stream", default="", choices=Stream.values, help="only this stream")
        parser.add_argument("--kind", default="", help="only this kind")
        parser.add_argument("--domain", default="", help="only to addresses of this domain")
        parser.add_argument("--since", default="", help="only created since: 2h, 3d, 2026-11-24 or 2026-11-24T10:00")
        parser.add_argument("--until", default="", help="only created before this time, in the same forms")
        parser.add_argument("--scheduled", action="store_true", help="only those that are due later and not tried yet")
        parser.add_argument("--reason", default="", help="shown on the page of each message; required")
        parser.add_argument("--by", default="", help="your name; by default that of the system's user")
        parser.add_argument("--dry-run", action="store_true", help="only count")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = self._filter(options)
        if options["dry_run"]:
            found = count(wanted)
            self.stdout.write(f"{'at least ' if found.is_more else ''}{found.found} messages would be cancelled.")
            return
        if not options["reason"]:
            raise CommandError("Say why with --reason.")
        done = self._cancel(wanted, who=options["by"] or user_name(), why=options["reason"])
        self.stdout.write(f"{done} messages cancelled.")

    def _filter(self, options: dict[str, Any]) -> QueuedFilter:
        for option in ("kind", "domain", "reason"):
            check_text(option, options[option])
        wanted = QueuedFilter(
            stream=options["stream"],
            kind=options["kind"],
            domain=options["domain"].strip().lstrip("@"),
            since=parse_time(options["since"]) if options["since"] else None,
            until=parse_time(options["until"]) if options["until"] else None,
            is_scheduled=options["scheduled"],
        )
        if wanted.is_empty:
            raise CommandError("Choose messages with --stream, --kind, --domain, --since, --until or --scheduled.")
        return wanted

    def _cancel(self, wanted: QueuedFilter, *, who: str, why: str) -> int:
        # The relay may have moved some past the page that was being read, so it ends with a search that finds none.
        done, last = 0, Count(0, is_more=True)
        while last.is_more or last.found:
            last = cancel_matching(wanted, who=who, why=why, longest_s=10.0)
            done += last.found
            if last.found:
                self.stdout.write(f"{done} so far")
        return done
