"""A second implementation of the relevance of a message, independent of the code's."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from accounts import emails
from accounts.models import User
from notifications import kinds
from notifications.models import Message, Suppression
from notifications.rules.states import Event, Status
from notifications.rules.suppression import Reason
from tests.notifications.stateful.truth import Person

ALIVE = {Status.QUEUED, Status.SENDING, Status.SENT, Status.UNCERTAIN}


def expected_end(
    row: Message, person: Person | None, rows: Mapping[UUID, Message], *, is_recheck: bool
) -> Event | None:
    """Return the event that must end a message before it is sent, None if it may be sent.

    `is_recheck`: it tests whether an address that bounced softly accepts email again.
    """
    if not _still_for(person, row) or _is_superseded(row, rows):
        return Event.CANCELLED
    reasons = set(Suppression.objects.in_force([row.to_address]).values_list("reason", flat=True))
    if reasons - {Reason.SOFT_BOUNCES} or (reasons and not is_recheck):
        return Event.ADDRESS_SUPPRESSED
    assert row.expires_at is not None
    return Event.EXPIRED if row.expires_at <= datetime.now(UTC) else None


def _still_for(person: Person | None, row: Message) -> bool:
    """Return whether the account still wants this email, at this address."""
    if person is None or not person.active or person.address != row.to_address:
        return False
    if row.kind == emails.PRODUCT_NEWS.name:
        # A complaint or a report of the provider is the account's decision too.
        return row.user_id is not None and User.objects.filter(pk=row.user_id, wants_news=True).exists()
    return row.kind != emails.WELCOME.name or not person.confirmed


def _is_superseded(row: Message, rows: Mapping[UUID, Message]) -> bool:
    if not kinds.get(row.kind).newest_wins or row.user_id is None:
        return False
    same = [other for other in rows.values() if (other.user_id, other.kind) == (row.user_id, row.kind)]
    return any(other.created_at > row.created_at and other.status in ALIVE for other in same)
