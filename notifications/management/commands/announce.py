"""Enqueues one text for many people. They leave on the bulk stream, as fast as the rates allow."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from unicodedata import category

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from accounts import emails
from accounts.models import User
from notifications.outbox import Draft, enqueue_many
from notifications.rules.states import Status
from notifications.rules.text import BIDI, one_form, prose

BATCH = 500
# RFC 2047: mail programs show what such text stands for.
ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bq]\?.*\?=", re.IGNORECASE)


class Command(BaseCommand):
    help = "Enqueue product news for many people. The same NAME again reaches only those who did not get it yet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="names the announcement; nobody gets one of this name twice")
        parser.add_argument("--to", choices=["confirmed"], required=True, help="which of those who want news")
        parser.add_argument("--headline", required=True)
        parser.add_argument("--text", required=True, help="paragraphs, with an empty line between two")
        parser.add_argument("--dry-run", action="store_true", help="only say how many people there are")

    def handle(self, *args: Any, **options: Any) -> None:
        headline = one_line("headline", prose(options["headline"]).strip())
        context = {"headline": headline, "paragraphs": paragraphs(prose(options["text"]))}
        if not headline or not context["paragraphs"]:
            raise CommandError("An announcement needs a headline and a text.")
        name = one_line("name", one_form(options["name"]))
        readers = User.objects.filter(is_active=True, confirmed_at__isnull=False, wants_news=True)
        if options["dry_run"]:
            self.stdout.write(f"{readers.count()} people have agreed to news and would get it.")
            return
        by_status: Counter[str] = Counter()
        for page in pages(readers):
            by_status.update(message.status for message in enqueue_many([draft(name, one, context) for one in page]))
        kept_back = by_status.pop(Status.SUPPRESSED, 0)
        self.stdout.write(f"{by_status.total()} messages enqueued." + (f" {kept_back} kept back." if kept_back else ""))


def draft(name: str, reader: User, context: dict[str, Any]) -> Draft:
    kind = emails.PRODUCT_NEWS.name
    return Draft(kind=kind, to=reader.email, user=reader, key=f"{kind}:{name}:{reader.pk}", context=context)


def one_line(what: str, text: str) -> str:
    """Return what becomes part of a header or a key. Raises CommandError for what would be shown as something else."""
    unreadable = any(category(one) in {"Cc", "Cs", "Zl", "Zp"} for one in text) or BIDI.search(text)
    if unreadable or ENCODED_WORD.search(text):
        raise CommandError(f"The {what} has to be one line of readable text.")
    return text


def paragraphs(text: str) -> list[str]:
    return [paragraph.strip() for paragraph in re.split(r"\n[^\S\n]*\n", text) if paragraph.strip()]


def pages(readers: QuerySet[User]) -> Iterator[list[User]]:
    """Yield the readers by key: a pooler in transaction mode keeps no cursor open between two statements."""
    after = 0
    while page := list(readers.filter(pk__gt=after).order_by("pk")[:BATCH]):
        after = page[-1].pk
        yield page
