"""An account goes while somebody else is at its mail: whoever comes second finds nothing left to do."""

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


def in_a_connection_of_its_own(act):
    def run():
        try:
            return act()
        finally:
            connection.close()

    return run


def crossing(first, second):
    """Do `first`; before it is committed begin `second`, which has to wait. Return what came of `second`."""

    parameters = connection.get_connection_params() | {"cursor_factory": None, "context": None}
    with ThreadPoolExecutor(1) as pool, psycopg.connect(**parameters, autocommit=True) as watching:
        with transaction.atomic():
            first()
            waiting = pool.submit(in_a_connection_of_its_own(second))
            eventually(lambda: watching.execute(BLOCKED).fetchone()[0] > 0)
            assert not waiting.done()
        return waiting.result(10)


def test_claim_during_a_deletion_wins_nothing(ada):
    message = MessageFactory(user=ada)
    assert crossing(ada.delete, lambda: claim([message.id])) == []
    message.refresh_from_db()
    assert (message.status, message.to_address) == (Status.CANCELLED, "")


def test_claim_that_is_about_to_be_committed_loses_its_hand_over(ada):
    message, won = MessageFactory(user=ada), []
    crossing(lambda: won.extend(claim([message.id])), ada.delete)
    message.refresh_from_db()
    assert (message.status, message.to_address) == (Status.CANCELLED, "")
    assert not hand_over(won[0], "scripted")


def test_hand_over_that_is_about_to_be_committed_goes_out_and_is_anonymized(ada):
    message = MessageFactory(user=ada)
    (claimed,) = claim([message.id])
    crossing(lambda: hand_over(claimed, "scripted"), ada.delete)
    message.refresh_from_db()
    assert (message.status, message.to_address, message.attempts) == (Status.SENDING, "", 1)


def test_message_that_is_written_meanwhile_does_not_come_into_being(ada):
    """PostgreSQL asks for its account when it is committed, and its request fails: nobody was told that it is done."""

    @transaction.atomic
    def ask():
        enqueue(Draft(kind="password-reset", to=ada.email, user=ada))
        with ThreadPoolExecutor(1) as pool:
            pool.submit(in_a_connection_of_its_own(User.objects.get(pk=ada.pk).delete)).result(10)

    with pytest.raises(IntegrityError):
        ask()
    assert not Message.objects.exists()


def test_message_that_comes_just_after_does_not_come_into_being(ada):
    def ask():
        with pytest.raises(IntegrityError):
            enqueue(Draft(kind="password-reset", to=ada.email, user=ada))

    crossing(User.objects.get(pk=ada.pk).delete, ask)
    assert not Message.objects.exists()
