"""Explain why a message has not arrived, until when, and what to do next."""

import json
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone

from notifications.models import Message
from notifications.support.explain import Explanation, explain
from notifications.support.lookup import AmbiguousError, NoMessageError, find_messages

NEWEST = 5
NOT_FOUND, AMBIGUOUS = 1, 3


class Command(BaseCommand):
    help = (
        "Explain why a message has not arrived. Ends with 1 if no message is found, and with 3 if a provider's id names"
        " several."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "what", help="a message's id, its idempotency key, its provider's id, or an address (its newest messages)"
        )
        parser.add_argument("--limit", type=int, default=NEWEST, help="the most messages to one address")
        parser.add_argument("--json", action="store_true", help="print JSON")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        explained = [(message, explain(message)) for message in found_by(options["what"], max(1, options["limit"]))]
        if options["json"]:
            answer = {"messages": [described(message) | why.as_dict() for message, why in explained]}
            self.stdout.write(json.dumps(answer, indent=2))
            return
        for message, why in explained:
            for line in lines(message, why):
                self.stdout.write(line)


def found_by(text: str, limit: int) -> list[Message]:
    """Return the messages. Raises CommandError."""
    try:
        text.encode()
        return find_messages(text, limit=limit)
    except (NoMessageError, UnicodeEncodeError):
        raise CommandError(f"No message has this id, key or address: {text!r}.", returncode=NOT_FOUND) from None
    except AmbiguousError as error:
        ids = ", ".join(map(str, error.ids))
        raise CommandError(f"Several messages have this provider's id: {ids}.", returncode=AMBIGUOUS) from None


def described(message: Message) -> dict[str, Any]:
    return {
        "id": str(message.id),
        "kind": message.kind,
        "to": message.to_address,
        "created_at": message.created_at.isoformat(timespec="seconds"),
        "status": message.status,
        "outcome": message.outcome,
    }


def lines(message: Message, why: Explanation) -> Iterator[str]:
    created = timezone.localtime(message.created_at).isoformat(" ", "seconds")
    yield f"{message.kind} {message.id} to {message.to_address or 'an erased address'}, created {created}"
    yield f"  {message.status}: {why.sentence}"
    yield f"  Next step: {why.step.text}"
