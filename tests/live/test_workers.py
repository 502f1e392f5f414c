"""Workers and other processes are killed, frozen, stopped and restarted while they send."""

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta

import psutil
import pytest
import requests

from notifications.rules.states import Stream
from tests.live.running import PATIENCE, WORKERS, Running, eventually

pytestmark = pytest.mark.live

LEASE = timedelta(seconds=int(PATIENCE["DELIVERY_LEASE_S"]))
# Less than another lease. A quiet machine needs a second.
TOLERANCE = timedelta(seconds=10)
# Published as the relay publishes a backlog: in chunks, with the time of its next publication set.
CHUNKS = """
from datetime import timedelta
from django.db.models.functions import Now
from accounts.models import User
from notifications.models import Message
from notifications.outbox import publish
from notifications.rules.states import Stream
users = User.objects.bulk_create([User(email=f"{name}{number}@example.com") for number in range(60)])
later = Now() + timedelta(seconds=10)
messages = Message.objects.bulk_create([
    Message(kind="welcome", stream=stream, user=user, to_address=user.email, idempotency_key=f"chunk:{user.email}",
            relay_after=later, relayed=1)
    for user in users
])
assert publish.publish([messages[start:start + 20] for start in (0, 20, 40)], Stream(stream)) == 3
"""


def publish_chunks(live: Running, name: str, stream: Stream) -> set[str]:
    """Publish three chunks of twenty emails, with all workers stopped."""
    live.stop(*(name for name in WORKERS if live.is_running(name)))
    live.stack.manage("shell", "-v", "0", "-c", f"name, stream = {name!r}, {stream.value!r}{CHUNKS}")
    return {f"{name}{number}@example.com" for number in range(60)}


def in_chunks(live: Running, name: str) -> set[str]:
    """Let one worker send chunks, and slow the provider down meanwhile."""
    # Critical messages are claimed together and handed over alone.
    addresses = publish_chunks(live, name, Stream.CRITICAL)
    # Fast enough for groups of five.
    live.simulator.set_controls(latency_ms=45)
    live.start("worker-main")
    # The worker sends all of them in about a second.
    eventually(lambda: len(held(live, addresses)[0]) > 4, longest_pause_s=0.02)
    live.simulator.set_controls(latency_ms=2500)
    eventually(lambda: live.simulator.stats()["in_flight"])
    return addresses


def held(live: Running, addresses: set[str]) -> tuple[dict[str, datetime], set[str]]:
    """Return the messages that a worker has claimed: those not handed over, with their leases' ends; the others."""
    rows = live.sql(
        "SELECT to_address, lease_until, handed_over_at IS NOT NULL FROM notifications_message"
        " WHERE status = 'sending' AND to_address = ANY(%s)",
        list(addresses),
    )
    waiting = {address: lease_until for address, lease_until, handed_over in rows if not handed_over}
    return waiting, {address for address, _, handed_over in rows if handed_over}


def first_started(live: Running, addresses: set[str]) -> dict[str, datetime]:
    """Return when the first accepted call for each address started."""
    taken = [entry for entry in live.simulator.messages() if entry["to"] in addresses]
    taken.sort(key=lambda entry: entry["seq"], reverse=True)
    return {entry["to"]: datetime.fromisoformat(entry["request_started_at"]) for entry in taken}


def all_sent(live: Running, addresses: set[str]) -> None:
    eventually(lambda: live.statuses(addresses) == {"sent"})
    eventually(lambda: all(live.accepted(addresses).values()))


def lost_calls(live: Running, addresses: set[str]) -> set[str]:
    rows = live.sql(
        "SELECT m.to_address FROM notifications_deliveryattempt a JOIN notifications_message m ON m.id = a.message_id"
        " WHERE a.error_code = 'worker-lost' AND m.to_address = ANY(%s)",
        list(addresses),
    )
    return {address for (address,) in rows}


@pytest.mark.long
def test_worker_killed_during_a_chunk_delays_its_messages_by_at_most_a_lease(live):
    addresses = in_chunks(live, "killed")
    live.kill("worker-main")
    killed_at = datetime.now().astimezone()
    waiting, called = held(live, addresses)
    live.simulator.set_controls(latency_ms=0)
    live.start("worker-bulk", "worker-critical")
    all_sent(live, addresses)
    copies, started = live.accepted(addresses), first_started(live, addresses)
    assert waiting
    late = {address: started[address] - end for address, end in waiting.items()}
    assert max(late.values()) < TOLERANCE
    untouched = addresses - waiting.keys() - called
    assert max(started[address] for address in untouched) < killed_at + LEASE + TOLERANCE
    # At most one call in each of the three threads with a chunk. Its recipient may get a second copy.
    assert lost_calls(live, addresses) <= called
    assert len(called) <= 3
    assert {address for address, count in copies.items() if count > 1} <= called
    assert max(copies.values()) <= 2


@pytest.mark.long
@pytest.mark.parametrize(("stream", "worker"), [(Stream.DEFAULT, "worker-main"), (Stream.BULK, "worker-bulk")])
def test_worker_killed_during_a_part_or_a_batch_leaves_only_that_uncertain(live, stream, worker):
    addresses = publish_chunks(live, f"killed-{stream}", stream)
    live.simulator.set_controls(latency_ms=10)
    live.start(worker)
    # Bulk goes in batches, other email in parts of ten.
    eventually(lambda: len(held(live, addresses)[1]) > 1, longest_pause_s=0.02)
    live.kill(worker)
    _, called = held(live, addresses)
    live.simulator.set_controls(latency_ms=0)
    live.start(*(name for name in WORKERS if name != worker))
    all_sent(live, addresses)
    copies = live.accepted(addresses)
    assert lost_calls(live, addresses) <= called
    # What the provider had accepted and reported is not sent again.
    assert {address for address, count in copies.items() if count > 1} <= called
    assert max(copies.values()) <= 2


@pytest.mark.long
def test_batch_whose_answer_is_lost_is_settled_by_its_reports(unattended):
    addresses = publish_chunks(unattended, "answer-lost", Stream.BULK)
    unattended.simulator.set_controls(fault="cut_after", fault_next=1)
    with unattended.worker_for("simulator", EMAIL_STREAM_RATES=""):
        all_sent(unattended, addresses)
    assert set(unattended.accepted(addresses).values()) == {1}


@pytest.mark.long
def test_worker_frozen_beyond_its_lease_sends_nothing_again(live):
    addresses = in_chunks(live, "frozen")
    with live.frozen("worker-main"):
        waiting, called = held(live, addresses)
        before = live.accepted(addresses)
        live.simulator.set_controls(latency_ms=0)
        live.start("worker-bulk")
        others = addresses - called
        eventually(lambda: all(live.accepted(others).values()))
        # What was being sent is settled as its kind says: at least once.
        eventually(lambda: live.statuses(addresses) == {"sent"})
        during = live.accepted(addresses)
    assert waiting
    live.site_client().sign_up("thawed@example.com")
    eventually(lambda: live.statuses({"thawed@example.com"}) == {"sent"})
    # The worker delivers again, with all its threads.
    live.stop("worker-bulk")
    live.site_client().sign_up("thawed-too@example.com")
    eventually(lambda: live.statuses({"thawed-too@example.com"}) == {"sent"})
    live.start("worker-bulk", "worker-critical")
    assert live.statuses(addresses) == {"sent"}
    after = live.accepted(addresses)
    assert after == during
    # Only messages whose call was in progress when the freeze began.
    assert {address for address, count in after.items() if count > 1} <= called
    assert all(before[address] <= 1 for address in addresses)


@contextmanager
def users_signing_up(live: Running, name: str, *, users: int = 4, may_fail: bool = False) -> Iterator[set[str]]:
    """Let `users` sign up again and again until the block ends; yield the acknowledged addresses."""
    acknowledged: set[str] = set()
    over = threading.Event()

    def sign_up(user: int) -> None:
        number = 0
        while not over.is_set():
            address = f"{name}-{user}-{number}@example.com"
            number += 1
            try:
                live.site_client().sign_up(address)
            except requests.ConnectionError:
                assert may_fail
            else:
                acknowledged.add(address)
            over.wait(0.1)

    with ThreadPoolExecutor(users) as pool:
        loops = [pool.submit(sign_up, user) for user in range(users)]
        try:
            yield acknowledged
        finally:
            over.set()
        for loop in loops:
            loop.result()


@pytest.mark.long
def test_rolling_restart_under_load_loses_and_doubles_nothing(live):
    live.simulator.set_controls(latency_ms=300)
    with users_signing_up(live, "rolling") as acknowledged:
        for name in (*WORKERS, "relay", "beat"):
            live.stop(name)
            live.start(name)
            eventually(lambda: live.stack.supervisor.state(name) == "RUNNING")  # noqa: B023 - called within the loop
    all_sent(live, acknowledged)
    assert len(acknowledged) > 20
    assert Counter(live.accepted(acknowledged).values()) == {1: len(acknowledged)}
    assert lost_calls(live, acknowledged) == set()


@pytest.mark.long
def test_web_reloaded_under_load_refuses_no_request(live):
    with users_signing_up(live, "reloaded") as acknowledged:
        for _ in range(3):
            so_far = len(acknowledged)
            os.kill(live.pid("web"), signal.SIGHUP)
            eventually(lambda: len(acknowledged) > so_far + 20)  # noqa: B023 - called within the loop
    all_sent(live, acknowledged)
    assert Counter(live.accepted(acknowledged).values()) == {1: len(acknowledged)}


@pytest.mark.long
def test_frozen_web_process_is_replaced_and_every_acknowledged_sign_up_is_sent_once(live):
    frozen = psutil.Process(live.pid("web")).children()[0]
    # More users than the other process has threads, so that some reach the frozen one.
    with users_signing_up(live, "frozen-web", users=12, may_fail=True) as acknowledged:
        eventually(lambda: acknowledged)
        frozen.suspend()
        # gunicorn kills a process that is silent for 30 s.
        eventually(lambda: not frozen.is_running())
        so_far = len(acknowledged)
        eventually(lambda: len(acknowledged) > so_far + 20)
    all_sent(live, acknowledged)
    assert Counter(live.accepted(acknowledged).values()) == {1: len(acknowledged)}


@pytest.mark.long
def test_frozen_relay_delays_no_sign_up_and_publishes_once_it_continues(live):
    addresses = {f"frozen-relay{number}@example.com" for number in range(8)}
    with live.frozen("relay"):
        for address in addresses:
            live.site_client().sign_up(address)
        all_sent(live, addresses)
        live.stop(*WORKERS)
        live.site_client().sign_up("left-to-the-relay@example.com")
        live.sql("UPDATE notifications_message SET relay_after = now() WHERE to_address LIKE 'left-to-the-relay%%'")
    live.start(*WORKERS)
    all_sent(live, addresses | {"left-to-the-relay@example.com"})
    assert set(live.accepted(addresses | {"left-to-the-relay@example.com"}).values()) == {1}


def test_broker_restarted_during_sends_ends_no_worker(live):
    before = {name: live.pid(name) for name in WORKERS}
    addresses = {f"broker-restarted{number}@example.com" for number in range(18)}
    # Three times: which of its connections a worker notices first is a matter of chance.
    for few in [sorted(addresses)[start::3] for start in range(3)]:
        live.simulator.set_controls(latency_ms=1500)
        with ThreadPoolExecutor(6) as users:
            list(users.map(lambda address: live.site_client().sign_up(address), few))
        eventually(lambda: live.simulator.stats()["in_flight"])
        live.stop("valkey")
        live.start("valkey")
        live.simulator.set_controls(latency_ms=0)
        eventually(lambda few=few: live.statuses(set(few)) == {"sent"})
    assert set(live.accepted(addresses).values()) == {1}
    assert {name: live.pid(name) for name in WORKERS} == before
