"""What a worker does when the database crashes while the provider is being called."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import deliver
from notifications.models import Message
from notifications.outbox import recover
from notifications.rules.states import Status, Stream
from tests.database.faults import by_hand
from tests.factories import MessageFactory

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("valkey")]


class KilledError(BaseException):
    """Ends a worker as SIGKILL does."""


def carry(message):
    return deliver([message.id], Stream.DEFAULT, Carrier(task_id="task-1", worker="test@here"))


def mark_of(message):
    with by_hand() as direct:
        query = "SELECT status, attempts, handed_over_at IS NOT NULL FROM notifications_message WHERE id = %s"
        return direct.execute(query, [message.id]).fetchone()


@pytest.mark.parametrize("worker", ["lives", "dies"])
def test_mark_of_a_call_survives_a_crash_of_the_database(own, pooled, provider, worker):
    pooled()
    message = MessageFactory()

    def meanwhile(mail):
        own.crash()
        own.start()
        assert mark_of(message) == ("sending", 1, True)
        if worker == "dies":
            raise KilledError

    provider.script.append(meanwhile)
    if worker == "lives":
        assert str(carry(message)) == "1 sent"
        assert mark_of(message) == ("sent", 1, False)
        return
    with pytest.raises(KilledError):
        carry(message)
    connection.close()
    Message.objects.update(lease_until=Now() - timedelta(seconds=1))
    assert recover.recover_ended_leases() == (0, 1)
    assert Message.objects.get().status == Status.UNCERTAIN
