"""A backlog that came after the last ANALYZE is not read again for each group."""

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from notifications.delivery import claim
from notifications.delivery.attempt import Carrier, attempt_of
from notifications.delivery.facts import gather
from notifications.delivery.record import record_acceptances
from notifications.models import Message, Suppression
from notifications.outbox import brake_queue, work
from notifications.outbox.backlog import give_back, take_due
from notifications.providers.base.sending import Accepted
from notifications.rules.states import Status, Stream
from notifications.rules.suppression import Reason
from tests.plans.filled import copies
from tests.plans.reading import Reading

pytestmark = pytest.mark.django_db

BACKLOG = 10_000
GROUP = 500
CARRIER = Carrier(task_id="task", worker="test@here")


@pytest.fixture
def backlog():
    """Queue messages that the planner knows nothing of: it believes that nearly all messages are sent."""
    messages(200, "sent", status=Status.SENT, sent_at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_user, notifications_message")
    messages(BACKLOG, "queued")
    listed = Suppression(address="listed@example.com", reason=Reason.HARD_BOUNCE)
    copies(listed, BACKLOG, address="'listed' || n || '@example.com'")


def messages(count, prefix, **fields):
    (user,) = User.objects.bulk_create([User(email=f"{prefix}@example.com")])
    copies(user, count, email=f"'{prefix}' || n || '@example.com'")
    first = User.objects.filter(email__startswith=prefix).order_by("pk").first()
    address = f"{prefix}@example.com"
    copies(
        Message(kind="product-news", stream=Stream.BULK, to_address=address, idempotency_key=prefix, **fields),
        count,
        id="gen_random_uuid()",
        user_id=f"{first.pk} - 1 + n",
        to_address=f"'{prefix}' || n || '@example.com'",
        idempotency_key=f"'{prefix}' || n",
    )


def test_group_reads_only_its_messages_with_old_statistics(backlog):
    reading = Reading()
    with connection.execute_wrapper(reading):
        assert work.has_work()
        brake_queue.release_due()
        due = take_due(Stream.BULK, GROUP)
        claimed = claim.claim([message.id for message in due])
        gather(claimed)
        handed_over = claim.hand_over(claimed, "scripted")
        accepted = Accepted(provider_message_id="accepted")
        record_acceptances([attempt_of(message, CARRIER, "scripted", accepted, 0.1) for message in claimed])
        claim.defer([message.id for message in take_due(Stream.BULK, GROUP)], [1.0] * GROUP)
        assert claim.requeue([message.id for message in take_due(Stream.BULK, GROUP)]) == GROUP
        unpublished = take_due(Stream.BULK, GROUP)
        give_back([message.id for message in unpublished])
    assert len(handed_over) == GROUP
    assert len(reading.explained) >= 10
    assert not reading.findings, "\n".join(map(str, reading.findings))
