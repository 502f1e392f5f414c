"""Enqueue an announcement for many users, on the bulk stream."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from unicodedata import category

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from notifications import kinds, users
from notifications.kinds import Kind
from notifications.outbox import Draft, enqueue_many
from notifications.rules.states import Status
from notifications.rules.text import BIDI, one_form, prose

BATCH = 1000
# The command reports its progress after this many readers.
REPORT_EVERY = 50_000
# RFC 2047: email clients decode such text.
ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bq]\?.*\?=", re.IGNORECASE)


class Command(BaseCommand):
    help = (
        "Enqueue an announcement for all readers of a kind. Repeating it with the same NAME reaches only new readers."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="name of the announcement; each reader gets one of this name only once")
        parser.add_argument("--kind", default="", help="kind with an audience; required if there are several")
        parser.add_argument("--headline", required=True)
        parser.add_argument("--text", required=True, help="paragraphs, separated by empty lines")
        parser.add_argument("--dry-run", action="store_true", help="only print the number of readers")

    def handle(self, *args: Any, **options: Any) -> None:
        headline = require_one_line("headline", prose(options["headline"]).strip())
        context = {"headline": headline, "paragraphs": paragraphs(prose(options["text"]))}
        if not headline or not context["paragraphs"]:
            raise CommandError("An announcement needs a headline and a text.")
        name = require_one_line("name", one_form(options["name"]))
        kind, readers = audience(options["kind"])
        if options["dry_run"]:
            self.stdout.write(f"{readers.count()} readers would get it.")
            return
        by_status: Counter[str] = Counter()
        read = 0
        for page in pages(readers):
            # Each page is a transaction: after an interruption, the same command continues.
            written = enqueue_many([draft(kind, name, one, context) for one in page])
            by_status.update(message.status for message in written)
            read += len(page)
            if read % REPORT_EVERY < len(page):
                self.stdout.write(f"{read} readers so far, {by_status.total()} messages written …")
        suppressed = by_status.pop(Status.SUPPRESSED, 0)
        self.stdout.write(
            f"{by_status.total()} messages enqueued." + (f" {suppressed} suppressed." if suppressed else "")
        )


def audience(name: str) -> tuple[Kind, QuerySet[Any]]:
    """Return a kind with its audience. Raises CommandError. Without a name, it is the only kind with an audience."""
    found = {kind.name: kind for kind in kinds.KINDS.values() if kind.audience}
    kind = found.get(name or next(iter(found), "")) if name or len(found) == 1 else None
    if kind is None or kind.audience is None:
        raise CommandError(f"Choose a kind that has an audience: {', '.join(found) or 'there is none'}.")
    return kind, kind.audience()


def draft(kind: Kind, name: str, reader: AbstractBaseUser, context: dict[str, Any]) -> Draft:
    key = f"{kind.name}:{name}:{reader.pk}"
    return Draft(kind=kind.name, to=users.address_of(reader), user=reader, key=key, context=context)


def require_one_line(what: str, text: str) -> str:
    # The text becomes part of a header or a key. Raises CommandError for text that would be displayed differently.
    unreadable = any(category(one) in {"Cc", "Cs", "Zl", "Zp"} for one in text) or BIDI.search(text)
    if unreadable or ENCODED_WORD.search(text):
        raise CommandError(f"The {what} must be one line of readable text.")
    return text


def paragraphs(text: str) -> list[str]:
    return [paragraph.strip() for paragraph in re.split(r"\n[^\S\n]*\n", text) if paragraph.strip()]


def pages(readers: QuerySet[Any]) -> Iterator[list[Any]]:
    # By key, because a pooler in transaction mode keeps no cursor between statements.
    rest = readers.order_by("pk")
    while page := list(rest[:BATCH]):
        yield page
        rest = readers.filter(pk__gt=page[-1].pk).order_by("pk")
