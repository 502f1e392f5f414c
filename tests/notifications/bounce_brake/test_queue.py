"""The relay releases held messages fairly and slowly."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models.functions import Now

from notifications.bounce_brake import brake
from notifications.models import Message, ProviderEvent
from notifications.outbox import Draft, brake_queue, enqueue, enqueue_many, relay
from notifications.rules.states import Status, Stream
from tests.factories import MessageFactory, UserFactory
from tests.notifications.bounce_brake.bouncing import bounced, let_minutes_pass, waiting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def relay_rounds(minutes):
    """Run the relay for this many minutes; return the released messages in order."""
    gone = []
    for _ in range(int(minutes * settings.BOUNCE_BRAKE_PER_MIN)):
        before = {message.id for message in waiting()}
        let_minutes_pass(1 / settings.BOUNCE_BRAKE_PER_MIN)
        brake_queue.release_due()
        gone += Message.objects.filter(id__in=before - {message.id for message in waiting()}, status=Status.QUEUED)
    return gone


def ask(address, client=""):
    """Enqueue a sign-up from a client."""
    return enqueue(Draft(kind="welcome", to=address, user=UserFactory(email=address), client=client))


def test_queue_is_released_at_its_rate_in_order_of_arrival():
    bounced()
    messages = [ask(f"a@home{number}.example") for number in range(12)]
    assert relay_rounds(1) == messages[:6]
    assert relay_rounds(1) == messages[6:]


def test_queue_is_not_released_in_a_burst_after_an_outage_of_the_relay():
    bounced()
    enqueue_many([Draft(kind="welcome", to=user.email, user=user) for user in UserFactory.create_batch(12)])
    assert brake_queue.release_due() == 1
    let_minutes_pass(30)
    assert brake_queue.release_due() == 1
    assert brake_queue.release_due() == 0


def test_two_relays_release_one_message():
    bounced()
    enqueue_many([Draft(kind="welcome", to=user.email, user=user) for user in UserFactory.create_batch(12)])
    brake.is_on()

    def relay_round(_):
        try:
            return brake_queue.release_due()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(relay_round, range(8))) == 1


FLOODS = {
    # One client writes to many domains; many clients write to one; one client writes to a domain of many users.
    "one client": lambda number: (f"a@made-up{number}.example", "machine"),
    "one domain": lambda number: (f"person{number}@made-up.example", f"client{number}"),
    "one client, one domain": lambda number: (f"person{number}@gmail.example", "machine"),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_real_user_does_not_wait_behind_a_flood(flood):
    bounced()
    for number in range(40):
        ask(*FLOODS[flood](number))
    person = ask("ada@gmail.example" if flood == "one client, one domain" else "ada@home.example", "ada's")
    for number in range(40, 60):
        ask(*FLOODS[flood](number))
    assert person in relay_rounds(minutes=0.5)


def test_earlier_flood_does_not_stay_first():
    bounced()
    for number in range(20):
        ask(f"a@made-up{number}.example", "machine")
    relay_rounds(minutes=1)
    people = [ask(f"a{number}@home{number}.example", f"person{number}") for number in range(5)]
    assert set(relay_rounds(minutes=2)) >= set(people)


def test_client_that_floods_the_site_waits_behind_others(client):
    """The message knows the client of its request."""
    bounced()
    for number in range(5):
        fields = {"email": f"made-up{number}@m{number}.example", "name": "", "password": "correct horse battery"}
        client.post("/sign-up/", fields, REMOTE_ADDR="198.51.100.7")
    keys = {message.slowed_for for message in waiting()}
    assert len(waiting()) == 5
    assert len(keys) == 1
    assert "198.51.100.7" not in str(keys)


def test_message_that_is_not_held_back_keeps_no_client():
    assert ask("ada@example.com", "a client").slowed_for == ""


def test_full_queue_drops_the_busiest_client(settings):
    settings.BOUNCE_BRAKE_QUEUE = 10
    bounced()
    flood = [ask(f"a@made-up{number}.example", "machine") for number in range(15)]
    person = ask("ada@home.example", "ada's")
    brake_queue.release_due()
    assert len(waiting()) == 10
    gone = {message.id: message for message in Message.objects.filter(status_reason=brake_queue.FULL)}
    assert len(gone) == 5
    assert gone.keys() < {message.id for message in flood}
    assert {message.status for message in gone.values()} == {Status.CANCELLED}
    assert person.id not in gone


def test_release_of_the_brake_releases_the_queue():
    bounced()
    people = UserFactory.create_batch(20)
    enqueue_many([Draft(kind="welcome", to=user.email, user=user) for user in people])
    brake_queue.release_due()
    assert len(waiting()) == 19
    ProviderEvent.objects.all().delete()
    brake.reset()
    assert relay.run_once().published == {Stream.DEFAULT: 20}
    assert waiting() == []


def test_operator_releases_or_drops_the_queue(capsys):
    bounced()
    for number in range(3):
        ask(f"person{number}@made-up.example", "machine")
    ask("ada@home.example")
    call_command("bounce_brake")
    said = capsys.readouterr().out
    assert "3 to made-up.example" in said
    assert "1 to home.example" in said
    call_command("bounce_brake", "drop", domain="made-up.example")
    assert [message.to_address for message in waiting()] == ["ada@home.example"]
    assert Message.objects.filter(status=Status.CANCELLED, status_reason=brake_queue.DROPPED).count() == 3
    call_command("bounce_brake", "release")
    assert waiting() == []
    assert relay.run_once().published == {Stream.DEFAULT: 1}


def test_row_loses_its_client_after_a_day():
    recent, old = (
        MessageFactory(slowed_until=Now() - timedelta(hours=hours), slowed_for="a client") for hours in (2, 25)
    )
    assert brake_queue.prune() == 1
    recent.refresh_from_db()
    old.refresh_from_db()
    assert (recent.slowed_for, old.slowed_for, old.slowed_until) == ("a client", "", None)


def test_account_being_deleted_does_not_block_the_queue():
    bounced()
    messages = [ask(f"a@home{number}.example") for number in range(3)]
    held, resume = threading.Event(), threading.Event()

    def hold():
        try:
            with transaction.atomic():
                list(Message.objects.select_for_update().filter(id=messages[0].id))
                held.set()
                assert resume.wait(30)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        assert held.wait(30)
        assert brake_queue.release() == 2
        resume.set()
        holding.result()
    assert waiting() == [messages[0]]


def test_place_of_a_held_message_counts_those_that_leave_before_it():
    bounced()
    messages = [ask(f"a@home{number}.example") for number in range(3)]
    places = [brake_queue.place_of(message.id) for message in messages]
    assert [ahead for ahead, _ in places] == [0, 1, 2]
    assert [round(wait_s) for _, wait_s in places] == [0, 10, 20]
    brake_queue.release()
    assert brake_queue.place_of(messages[0].id) is None
