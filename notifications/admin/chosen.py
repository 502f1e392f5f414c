"""The messages of a confirmation page: ids, each with the version that the operator saw."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

# Ids in the order of the page, each with a version: text without a space. None: the page did not say which it showed.
Chosen = Mapping[UUID, str | None]


class NotChosenError(ValueError):
    """The form does not come from a confirmation page."""


def form_value(versions: Iterable[tuple[UUID, Any]]) -> str:
    return " ".join(f"{message_id}:{version}" for message_id, version in versions)


def parse_chosen(fields: Sequence[str]) -> Chosen:
    """Parse the fields of a confirmation page. Raises NotChosenError."""
    try:
        return dict(_parse_one(field) for field in fields)
    except ValueError as error:
        raise NotChosenError from error


def was_seen(chosen: Chosen, message_id: UUID, version: Any) -> bool:
    # Also true if the page did not say.
    return chosen[message_id] in {None, str(version)}


def _parse_one(field: str) -> tuple[UUID, str | None]:
    message_id, colon, version = field.partition(":")
    return UUID(message_id), version if colon else None
