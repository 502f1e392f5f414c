"""Check what holds after every step, in any order of steps."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from notifications.kinds import DeliveryGuarantee
from notifications.models import DeliveryAttempt, Message
from notifications.outbox.recover import MAX_RESENDS
from notifications.rules.states import Status
from tests.notifications.stateful.truth import Story

ENDED = {Status.SUPPRESSED, Status.EXPIRED, Status.CANCELLED, Status.DEAD}


def check(rows: Mapping[UUID, Message], stories: Mapping[UUID, Story]) -> None:
    """Check that exactly the accepted messages exist, and that each row is true."""
    assert rows.keys() == stories.keys()
    for message_id, story in stories.items():
        _nothing_is_lost(rows[message_id], story)
        _nothing_is_doubled(rows[message_id], story)


def _nothing_is_lost(row: Message, story: Story) -> None:
    if row.status == Status.SENT:
        assert story.taken or story.said_to_be_sent, "sent, but not accepted by a provider"
    if row.status in ENDED:
        assert row.status_reason or row.anonymized_at, "ended without a reason"
    if row.status == Status.UNCERTAIN and row.settle_at is None:
        spent = row.counted_attempts >= story.kind.max_attempts or row.uncertain_resends >= MAX_RESENDS
        late = row.expires_at is not None and row.expires_at <= datetime.now(UTC)
        assert spent or late or story.kind.guarantee is DeliveryGuarantee.AT_MOST_ONCE, "never settled"


def _nothing_is_doubled(row: Message, story: Story) -> None:
    assert row.attempts == story.hand_overs
    assert row.status != Status.QUEUED or story.cleared, "queued again, but perhaps sent"
    assert row.status == Status.SENT or not story.known_taken, "its acceptance is known"
    assert len(story.taken) <= 1 + story.settlements
    assert row.counted_attempts <= story.kind.max_attempts + story.excused


def check_attempts(rows: Mapping[UUID, Message], stories: Mapping[UUID, Story]) -> None:
    """Check that each hand-over has an attempt, and each known acceptance is recorded."""
    found: dict[UUID, list[int]] = {message_id: [] for message_id in rows}
    for attempt in DeliveryAttempt.objects.order_by("number"):
        found[attempt.message_id].append(attempt.number)
        if attempt.result == DeliveryAttempt.Result.ACCEPTED:
            assert attempt.number in stories[attempt.message_id].taken, "not accepted by a provider"
    for message_id, numbers in found.items():
        assert numbers == list(range(1, rows[message_id].attempts + 1))
