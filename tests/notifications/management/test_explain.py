"""manage.py explain: by id, key, provider's id or address."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now

from notifications.management.commands.explain import AMBIGUOUS, NEWEST, NOT_FOUND
from notifications.models import DeliveryAttempt
from notifications.rules.states import Status
from notifications.support.diagnosis import NextStep, Situation
from tests.factories import MessageFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey", "provider")]


def printed(*arguments):
    output = StringIO()
    call_command("explain", *map(str, arguments), stdout=output)
    return output.getvalue()


def explained(*arguments):
    return json.loads(printed(*arguments, "--json"))["messages"]


def accepted(message, provider_message_id):
    return DeliveryAttempt.objects.create(
        message=message, number=1, provider="ses", result="accepted", provider_message_id=provider_message_id
    )


@pytest.mark.parametrize("what", ["id", "idempotency_key", "to_address"])
def test_message_is_found_by(what):
    message = MessageFactory(status=Status.DEAD)
    (found,) = explained(getattr(message, what))
    assert found["id"] == str(message.id)
    assert (found["code"], found["next_step"], found["eta_s"]) == (Situation.DEAD, NextStep.REPLAY, None)
    assert found["sentence"] in printed(message.id)


def test_message_is_found_by_its_providers_id():
    message = MessageFactory(status=Status.SENT, sent_at=Now(), provider="ses")
    accepted(message, "0100018c")
    accepted(MessageFactory(), "another")
    assert [found["id"] for found in explained("0100018c")] == [str(message.id)]


def test_waiting_message_has_an_eta():
    message = MessageFactory(due_at=Now() + timedelta(hours=1), relay_after=Now() + timedelta(hours=1))
    (found,) = explained(message.id)
    assert found["code"] == Situation.NO_WORKER
    assert (found["eta_s"], found["eta_at"]) == (None, None)


def test_newest_messages_to_an_address_come_first():
    messages = [
        MessageFactory(to_address="ada@example.com", created_at=Now() - timedelta(minutes=number))
        for number in range(NEWEST + 2)
    ]
    ids = [str(message.id) for message in messages]
    assert [found["id"] for found in explained(" Ada@Example.com")] == ids[:NEWEST]
    assert [found["id"] for found in explained("ada@example.com", "--limit", 2)] == ids[:2]


@pytest.mark.parametrize(
    "what", ["grace@example.com", "33b3cd87-5a07-45a4-ac9d-7f27bd1faf8f", "no such key", "", "\udcff"]
)
def test_nothing_found_is_an_error(what):
    MessageFactory()
    with pytest.raises(CommandError) as error:
        printed(what)
    assert error.value.returncode == NOT_FOUND


def test_providers_id_of_several_messages_is_an_error():
    messages = MessageFactory.create_batch(2)
    for message in messages:
        accepted(message, "the same")
    with pytest.raises(CommandError) as error:
        printed("the same")
    assert error.value.returncode == AMBIGUOUS
    assert all(str(message.id) in str(error.value) for message in messages)


def test_erased_message_is_explained():
    message = MessageFactory(status=Status.CANCELLED, user=None, to_address="", anonymized_at=Now())
    assert [found["code"] for found in explained(message.id)] == [Situation.ANONYMIZED]
