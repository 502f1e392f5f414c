"""Relays killed at every point of a round, brokers that lose messages, and concurrent relays."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest
import redis
from django.conf import settings as django_settings
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now

from config.environment import BASE_DIR
from devtools.stack.ports import free_port
from devtools.stack.valkey import Valkey
from notifications.management.commands import relay as relay_command
from notifications.models import Message
from notifications.outbox import publish, recover, relay
from notifications.outbox.backlog import take_due
from notifications.rules.states import Status, Stream
from notifications.runtime.redis_client import client
from tests import forked
from tests.factories import MessageFactory
from tests.live.running import eventually
from tests.notifications.outbox.published import published_ids

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def environment():
    """Return the environment of a process that uses this test's database and broker."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    database = urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))
    return {**os.environ, "DATABASE_URL": database, "MAILROOM_ROLE": "relay"}


def confirm_the_sentinel():
    client().set(relay.SENTINEL, client().info("server")["run_id"])


def in_the_queues():
    return published_ids(django_settings.REDIS_URL)


@pytest.mark.parametrize("point", ["taken", "half published", "released", "not confirmed"])
def test_next_relay_completes_the_round_of_a_killed_one(point):
    ids = {MessageFactory().id for _ in range(12)}
    if point in {"released", "not confirmed"}:
        Message.objects.update(relay_after=Now() + timedelta(minutes=1))
    else:
        confirm_the_sentinel()
    died = forked.run("-m", "tests.notifications.outbox.dying_relay", point, folder=BASE_DIR, environment=environment())
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert len(in_the_queues()) == (5 if point == "half published" else 0)
    # Half of the messages are not due; a new relay still releases them.
    done, _ = relay_command._round(relay.Round(cut_short=True))
    assert done.released
    assert in_the_queues() == ids


def test_next_round_completes_one_cut_short_by_the_database(monkeypatch):
    confirm_the_sentinel()
    ids = {MessageFactory().id for _ in range(3)}

    def fail(*arguments):
        raise OperationalError("away")

    with monkeypatch.context() as patched:
        # The message is taken, then broker and database fail together.
        patched.setattr(publish, "publish", fail)
        done, pause_s = relay_command._round(relay.Round())
    assert (done.cut_short, pause_s) == (True, relay_command.PAUSE_S)
    assert in_the_queues() == set()
    relay_command._round(done)
    assert in_the_queues() == ids


@contextmanager
def relays(count, tmp_path):
    """Run this many relays, which have released everything, until the block ends.

    A test may kill one of them.
    """
    logs = [tmp_path / f"relay-{uuid4()}.log" for _ in range(count)]
    given = environment() | {"RELAY_HIGH_WATER": "10000", "RELAY_CHUNK_SIZE": "1", "RELAY_INTERVAL_S": "0.02"}
    running = [
        forked.start("manage.py", "relay", folder=BASE_DIR, environment=given, outputs=(log, log)) for log in logs
    ]
    try:
        eventually(lambda: all(log.exists() and "released=True" in log.read_text() for log in logs), within_s=60)
        yield running
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.join(30)
            assert process.exitcode is not None


def test_two_relays_share_the_work_and_a_successor_completes_that_of_a_killed_one(tmp_path):
    confirm_the_sentinel()
    with relays(2, tmp_path) as (doomed, other):
        ids = {message.id for message in _many(400)}
        eventually(lambda: client().llen("default") > 50)
        doomed.kill()
        doomed.join()
        with relays(1, tmp_path):
            eventually(lambda: in_the_queues() == ids)
        assert other.is_alive()


def _many(count):
    return Message.objects.bulk_create(
        Message(kind="welcome", stream=Stream.DEFAULT, to_address="many@example.com", idempotency_key=f"many:{number}")
        for number in range(count)
    )


@contextmanager
def another_connection_locks(message):
    """Lock the row in another connection until the block ends."""
    locked, resume = threading.Event(), threading.Event()

    def hold():
        with suppress(Message.DoesNotExist), transaction.atomic():
            Message.objects.select_for_update().get(id=message.id)
            locked.set()
            resume.wait(30)
        connection.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(hold)
        assert locked.wait(30)
        try:
            yield
        finally:
            resume.set()


def test_locked_row_is_skipped_and_published_later():
    confirm_the_sentinel()
    held, free = MessageFactory(), MessageFactory()
    abandoned = MessageFactory(abandoned=True)
    with another_connection_locks(held):
        assert [due.id for due in take_due(Stream.DEFAULT, 10)] == [free.id]
        Message.objects.filter(id=free.id).update(relay_after=Now() + timedelta(minutes=1))
        assert relay._release() == 1
    with another_connection_locks(abandoned):
        assert recover.recover_ended_leases() == (0, 0)
    assert recover.recover_ended_leases() == (1, 0)
    assert {due.id for due in take_due(Stream.DEFAULT, 10)} == {held.id, free.id, abandoned.id}


def test_release_goes_in_batches_and_ends(monkeypatch):
    monkeypatch.setattr(relay, "RELEASE_BATCH", 4)
    for _ in range(9):
        MessageFactory(relay_after=Now() + timedelta(minutes=1))
    assert relay.release_after_loss(unsure=False)
    assert Message.objects.filter(relay_after__lte=Now()).count() == 9


def test_broker_wiped_during_a_release_causes_another_release(monkeypatch):
    release = relay._release

    def wiped_meanwhile():
        released = release()
        MessageFactory(relay_after=Now() + timedelta(minutes=1))
        client().flushdb()
        return released

    with monkeypatch.context() as patched:
        patched.setattr(relay, "_release", wiped_meanwhile)
        assert relay.release_after_loss(unsure=False)
    assert relay.run_once(relay.Round()).published == {Stream.DEFAULT: 1}
    assert not relay.run_once(relay.Round()).released


def test_broker_restarted_with_an_older_copy_counts_as_another(tmp_path, monkeypatch):
    server = Valkey(tmp_path, free_port())
    with server, redis.Redis.from_url(server.url) as own:
        monkeypatch.setattr(relay, "client", lambda: own)
        monkeypatch.setattr(publish, "queue_depths", lambda: dict.fromkeys(Stream, 0))
        assert relay.run_once(relay.Round()).released
        assert not relay.run_once(relay.Round()).released
        published_and_lost = MessageFactory(relay_after=Now() + timedelta(minutes=1))
        server.process.kill()
        server.process.wait()
        server.start()
        # Its log has the sentinel, but may lack the last second.
        assert own.get(relay.SENTINEL)
        assert relay.run_once(relay.Round()).released
        assert published_and_lost.id in in_the_queues()
        assert not relay.run_once(relay.Round()).released


def test_wipe_of_a_server_without_a_run_id_is_noticed(valkey, monkeypatch):
    url = urlsplit(django_settings.REDIS_URL)
    client().acl_setuser(
        "nosy", enabled=True, passwords=["+secret"], keys=["*"], categories=["+@all"], commands=["-info"]
    )
    with redis.Redis(port=url.port, username="nosy", password="secret") as own:
        monkeypatch.setattr(relay, "client", lambda: own)
        try:
            assert relay.run_once(relay.Round()).released
            assert not relay.run_once(relay.Round()).released
            client().flushdb()
            assert relay.run_once(relay.Round()).released
        finally:
            client().acl_deluser("nosy")


def test_relay_takes_nothing_during_the_cooldown():
    confirm_the_sentinel()
    message = MessageFactory()
    publish.cooldown.start()
    done = relay.run_once(relay.Round())
    assert (done.broker_is_down, done.published) == (True, {})
    message.refresh_from_db()
    assert (message.relayed, message.status) == (0, Status.QUEUED)
    publish.cooldown.clear()
    assert relay.run_once(done).published == {Stream.DEFAULT: 1}
