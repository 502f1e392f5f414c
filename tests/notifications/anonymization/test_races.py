"""An account is deleted while another transaction works on its email: the second one has no effect."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from notifications.delivery.claim import claim, hand_over
from notifications.models import Message
from notifications.outbox import Draft, enqueue
from notifications.rules.states import Status
from tests.factories import MessageFactory, UserFactory
from tests.live.running import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]
BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
def ada():
    user = UserFactory(email="ada@example.com")
    user.refresh_from_db()
    return user


def in_another_connection(act):
    def run():
        try:
            return act()
        finally:
            connection.close()

    return run


def crossing(first, second):
    """Run `first`, and before its commit `second`, which has to wait. Return the result of `second`."""

    parameters = connection.get_connection_params() | {"cursor_factory": None, "context": None}
    with ThreadPoolExecutor(1) as pool, psycopg.connect(**parameters, autocommit=True) as watching:
        with transaction.atomic():
            first()
            waiting = pool.submit(in_another_connection(second))
            eventually(lambda: watching.execute(BLOCKED).fetchone()[0] > 0)
            assert not waiting.done()
        return waiting.result(10)


def test_claim_during_a_deletion_fails(ada):
    message = MessageFactory(user=ada)
    assert crossing(ada.delete, lambda: claim([message.id])) == []
    message.refresh_from_db()
    assert (message.status, message.to_address) == (Status.CANCELLED, "")


def test_claim_before_a_deletion_cannot_be_handed_over(ada):
    message, won = MessageFactory(user=ada), []
    crossing(lambda: won.extend(claim([message.id])), ada.delete)
    message.refresh_from_db()
    assert (message.status, message.to_address) == (Status.CANCELLED, "")
    assert not hand_over([won[0]], "scripted")


def test_hand_over_before_a_deletion_is_sent_and_anonymized(ada):
    message = MessageFactory(user=ada)
    (claimed,) = claim([message.id])
    crossing(lambda: hand_over([claimed], "scripted"), ada.delete)
    message.refresh_from_db()
    assert (message.status, message.to_address, message.attempts) == (Status.SENDING, "", 1)


def test_message_enqueued_meanwhile_is_not_committed(ada):
    """PostgreSQL checks the foreign key at the commit, so the request fails."""

    @transaction.atomic
    def ask():
        enqueue(Draft(kind="password-reset", to=ada.email, user=ada))
        with ThreadPoolExecutor(1) as pool:
            pool.submit(in_another_connection(User.objects.get(pk=ada.pk).delete)).result(10)

    with pytest.raises(IntegrityError):
        ask()
    assert not Message.objects.exists()


def test_message_enqueued_just_after_is_not_committed(ada):
    def ask():
        with pytest.raises(IntegrityError):
            enqueue(Draft(kind="password-reset", to=ada.email, user=ada))

    crossing(User.objects.get(pk=ada.pk).delete, ask)
    assert not Message.objects.exists()
