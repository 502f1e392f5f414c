"""Enqueues one text for many people. They leave on the bulk stream, as fast as the rates allow."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from notifications import kinds
from notifications.outbox import Draft, enqueue_many
from notifications.states import Status

BATCH = 500


class Command(BaseCommand):
    help = "Enqueue product news for many people. The same NAME again reaches only those who did not get it yet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="names the announcement; nobody gets one of this name twice")
        parser.add_argument("--to", choices=["confirmed"], required=True, help="whose active accounts get it")
        parser.add_argument("--headline", required=True)
        parser.add_argument("--text", required=True, help="paragraphs, with an empty line between two")
        parser.add_argument("--dry-run", action="store_true", help="only say how many people there are")

    def handle(self, *args: Any, **options: Any) -> None:
        context = {"headline": options["headline"].strip(), "paragraphs": paragraphs(options["text"])}
        if not context["headline"] or not context["paragraphs"]:
            raise CommandError("An announcement needs a headline and a text.")
        readers = User.objects.filter(is_active=True, confirmed_at__isnull=False).order_by("pk")
        if options["dry_run"]:
            self.stdout.write(f"{readers.count()} people would get it.")
            return
        drafts = (draft(options["name"], reader, context) for reader in readers.iterator(BATCH))
        by_status: Counter[str] = Counter()
        for batch in batches(drafts):
            by_status.update(message.status for message in enqueue_many(batch))
        kept_back = by_status.pop(Status.SUPPRESSED, 0)
        self.stdout.write(f"{by_status.total()} messages enqueued." + (f" {kept_back} kept back." if kept_back else ""))


def draft(name: str, reader: User, context: dict[str, Any]) -> Draft:
    kind = kinds.PRODUCT_NEWS.name
    return Draft(kind=kind, to=reader.email, user=reader, key=f"{kind}:{name}:{reader.pk}", context=context)


def paragraphs(text: str) -> list[str]:
    return [paragraph.strip() for paragraph in text.split("\n\n") if paragraph.strip()]


def batches(drafts: Iterator[Draft]) -> Iterator[list[Draft]]:
    while batch := list(islice(drafts, BATCH)):
        yield batch
