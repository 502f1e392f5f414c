"""The messages of a confirmation page: ids, each with the version that the operator saw."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

# Ids in the order of the page. None: the page did not say which version it showed.
Chosen = Mapping[UUID, int | None]


class NotChosenError(ValueError):
    """The form does not come from a confirmation page."""


def form_value(versions: Iterable[tuple[UUID, int]]) -> str:
    return " ".join(f"{message_id}:{version}" for message_id, version in versions)


def parse_chosen(fields: Sequence[str]) -> Chosen:
    """Parse the fields of a confirmation page. Raises NotChosenError."""
    try:
        return dict(_parse_one(field) for field in fields)
    except ValueError as error:
        raise NotChosenError from error


def _parse_one(field: str) -> tuple[UUID, int | None]:
    message_id, colon, version = field.partition(":")
    return UUID(message_id), int(version) if colon else None
