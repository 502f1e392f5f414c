"""Dead letters are judged as before every send, replayed once, and published by the relay."""

from datetime import timedelta
from threading import Barrier, Event, Thread

import pytest
from django.db import connection
from django.db.models.functions import Now

from accounts import emails
from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import deliver
from notifications.delivery.replay import ReplayVerdict, dead_letters, replay, replay_verdicts
from notifications.events import suppress
from notifications.models import Message
from notifications.outbox import relay
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Status, Stream
from notifications.rules.suppression import Reason
from notifications.runtime.redis_client import client
from tests.factories import MessageFactory, UserFactory
from tests.notifications.breaker.breakers import close_circuit
from tests.notifications.delivery.dead_letters import FINGERPRINT, broken, dead, expired

pytestmark = pytest.mark.django_db


CARRIER = Carrier(task_id="task-1", worker="test@here")


def suppressed():
    message = dead()
    suppress.suppress(message.to_address, Reason.COMPLAINT, "")
    return message


def irrelevant():
    return dead(user=UserFactory(is_active=False))


def anonymized():
    message = dead()
    message.user.delete()
    return message


def resent():
    message = dead()
    MessageFactory(resend_of=message, user=message.user)
    return message


MAKERS = {
    ReplayVerdict.RELEVANT: dead,
    ReplayVerdict.EXPIRED: expired,
    ReplayVerdict.SUPPRESSED: suppressed,
    ReplayVerdict.IRRELEVANT: irrelevant,
    ReplayVerdict.RESENT: resent,
    ReplayVerdict.ANONYMIZED: anonymized,
    ReplayVerdict.BROKEN: broken,
}


def fresh(message):
    return Message.objects.get(id=message.id)


@pytest.mark.parametrize("verdict", ReplayVerdict)
def test_dead_letter_is_judged_as_it_would_be_when_sent(verdict):
    message = fresh(MAKERS[verdict]())
    assert replay_verdicts([message]) == [(message, verdict)]


def test_dry_run_counts_and_changes_nothing():
    for make in MAKERS.values():
        make()
    before = list(Message.objects.order_by("id").values())
    tally = replay(dead_letters(), dry_run=True, batch=2)
    assert (tally.counts, tally.replayed) == (dict.fromkeys(ReplayVerdict, 1), 0)
    assert [(row.kind, row.fingerprint, row.dead) for row in tally.rows] == [
        ("welcome", FINGERPRINT, len(ReplayVerdict) - 1),
        ("long-gone", FINGERPRINT, 1),
    ]
    assert list(Message.objects.order_by("id").values()) == before


@pytest.mark.parametrize("batch", [1, 2, 500])
def test_only_relevant_dead_letters_are_replayed(batch):
    made = {verdict: [make(), make()] for verdict, make in MAKERS.items()}
    alive = MessageFactory(attempts=2)
    notified = []
    tally = replay(Message.objects.all(), dry_run=False, batch=batch, notify=notified.extend)
    assert (tally.dead, tally.relevant, tally.replayed) == (2 * len(ReplayVerdict), 2, 2)
    assert {message.id for message in notified} == {message.id for message in made[ReplayVerdict.RELEVANT]}
    for verdict, messages in made.items():
        status = Status.QUEUED if verdict is ReplayVerdict.RELEVANT else Status.DEAD
        assert {fresh(message).status for message in messages} == {status}
    assert fresh(alive).replays == 0


def test_replay_resets_attempts_and_not_the_expiry():
    message = dead(
        attempts=9,
        attempts_forgiven=2,
        replays=1,
        uncertain_resends=3,
        status_reason="refused permanently",
        relayed=7,
        relay_after=Now() + timedelta(minutes=5),
        due_at=Now() + timedelta(minutes=5),
    )
    before = fresh(message)
    replay(dead_letters(), dry_run=False)
    after = fresh(message)
    assert (after.attempts, after.counted_attempts, after.replays) == (9, 0, 2)
    assert (after.died_at, after.error_fingerprint, after.status_reason) == (None, "", "")
    assert (after.uncertain_resends, after.relayed) == (0, 0)
    assert after.due_at == after.relay_after < before.due_at
    assert (after.expires_at, after.created_at) == (before.expires_at, before.created_at)


def test_relay_publishes_replayed_messages_and_they_are_sent(valkey, provider, settings):
    client().set(relay.SENTINEL, "1")
    settings.EMAIL_RATE = "1000"
    messages = [dead(stream=Stream.BULK, kind="product-news", context={"headline": "x"}) for _ in range(3)]
    replay(dead_letters(), dry_run=False)
    assert client().llen("bulk") == 0
    assert relay.run_once().published == {Stream.BULK: 3}
    deliver([message.id for message in messages], Stream.BULK, CARRIER)
    assert {(fresh(message).status, fresh(message).attempts) for message in messages} == {(Status.SENT, 4)}


def test_limit_of_attempts_counts_from_the_replay(valkey, provider):
    ceiling = emails.WELCOME.max_attempts
    message = dead(attempts=ceiling)
    replay(dead_letters(), dry_run=False)
    provider.script.extend([ErrorClass.TRANSIENT] * ceiling)
    for number in range(1, ceiling + 1):
        Message.objects.update(due_at=Now())
        close_circuit("scripted")
        assert fresh(message).status == Status.QUEUED
        deliver([message.id], Stream.DEFAULT, CARRIER)
        assert fresh(message).attempts == ceiling + number
    assert fresh(message).status == Status.DEAD


def test_message_that_dies_during_the_run_is_not_replayed_again():
    messages = [dead() for _ in range(4)]

    def dies_again(replayed):
        Message.objects.filter(id__in=[one.id for one in replayed]).update(status=Status.DEAD, died_at=Now())

    assert replay(dead_letters(), dry_run=False, batch=1, notify=dies_again).replayed == 4
    assert {fresh(message).replays for message in messages} == {1}


@pytest.mark.django_db(transaction=True)
def test_concurrent_replays_share_the_dead_letters_without_waiting():
    messages = [dead() for _ in range(6)]
    held, over = Event(), Event()
    first = []

    def hold(_replayed):
        held.set()
        assert over.wait(20)

    def run():
        try:
            first.append(replay(dead_letters(), dry_run=False, batch=6, notify=hold))
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    try:
        assert held.wait(20)
        late = dead()
        second = replay(dead_letters(), dry_run=False)
    finally:
        over.set()
        thread.join(20)
    assert (first[0].replayed, second.replayed, second.dead) == (6, 1, 1)
    assert {fresh(message).replays for message in [*messages, late]} == {1}


@pytest.mark.django_db(transaction=True)
def test_concurrent_replays_replay_each_dead_letter_once():
    messages = [dead() for _ in range(40)]
    together, tallies = Barrier(2, timeout=20), []

    def run():
        try:
            together.wait()
            tallies.append(replay(dead_letters(), dry_run=False, batch=3))
        finally:
            connection.close()

    threads = [Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(tally.replayed for tally in tallies) == 40
    assert {fresh(message).replays for message in messages} == {1}


@pytest.mark.django_db(transaction=True)
def test_batches_before_a_fault_stay_replayed():
    for _ in range(4):
        dead()
    seen = []

    def fail_at_the_third(replayed):
        seen.extend(replayed)
        if len(seen) == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        replay(dead_letters(), dry_run=False, batch=1, notify=fail_at_the_third)
    assert Message.objects.filter(status=Status.QUEUED).count() == 2
    assert replay(dead_letters(), dry_run=False).replayed == 2


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        ({}, 4),
        ({"kind": "welcome"}, 3),
        ({"error": "ses/Rejected"}, 1),
        ({"error": "ses/"}, 2),
        ({"error": "s_s"}, 0),
        ({"since": Now() - timedelta(hours=2)}, 3),
        ({"since": Now() - timedelta(hours=2), "error": "ses", "kind": "welcome"}, 1),
    ],
)
def test_dead_letters_are_chosen_by_kind_error_and_time(choice, found):
    dead(error_fingerprint="ses/Rejected")
    dead(error_fingerprint="ses/Paused", died_at=Now() - timedelta(hours=3))
    dead(error_fingerprint="rendering/KeyError")
    dead(error_fingerprint="rendering/KeyError", kind="product-news")
    MessageFactory(error_fingerprint="ses/Rejected")
    assert dead_letters(**choice).count() == found
