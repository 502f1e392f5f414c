"""Servers and workers are stopped, wiped and killed; every acknowledged request is delivered."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from notifications.conf import settings
from tests.live.running import WORKERS, eventually

pytestmark = pytest.mark.live


def broker(live):
    return redis.Redis.from_url(live.stack.environment["REDIS_URL"])


def test_sign_ups_without_redis_are_sent_when_it_is_back(live):
    live.stop("valkey")
    addresses = {f"no-redis{number}@example.com" for number in range(5)}
    try:
        for address in addresses:
            live.site_client().sign_up(address)
        assert live.statuses(addresses) == {"queued"}
    finally:
        live.start("valkey")
    eventually(lambda: set(live.accepted(addresses).values()) == {1})
    eventually(lambda: live.statuses(addresses) == {"sent"})


@pytest.mark.long
def test_each_of_500_messages_is_sent_once_although_redis_is_wiped(live):
    addresses = {f"wiped{number}@example.com" for number in range(500)}
    live.stop(*WORKERS)
    try:
        live.stack.manage(
            *("shell", "-v", "0", "-c"),
            "from accounts.models import User\n"
            "for number in range(500): User.objects.create_user(f'wiped{number}@example.com')",
        )
        with broker(live) as client:
            # Of a burst, only the first messages are published; the others wait for room.
            eventually(lambda: client.llen("default") >= settings.RELAY_HIGH_WATER)
            client.flushall()
    finally:
        live.start(*WORKERS)
    eventually(lambda: live.statuses(addresses) == {"sent"})
    assert set(live.accepted(addresses).values()) == {1}


def test_worker_finishes_its_sends_before_it_ends(live):
    addresses = {f"asked{number}@example.com" for number in range(8)}
    live.simulator.set_controls(latency_ms=1500)
    with ThreadPoolExecutor(4) as users:
        list(users.map(lambda address: live.site_client().sign_up(address), sorted(addresses)))
    eventually(lambda: live.simulator.stats()["in_flight"])
    live.stop(*WORKERS)
    live.start(*WORKERS)
    eventually(lambda: live.statuses(addresses) == {"sent"})
    assert set(live.accepted(addresses).values()) == {1}


def test_sign_up_without_a_database_answers_503_and_writes_nothing(live):
    person = live.site_client()
    before = live.sql("SELECT (SELECT count(*) FROM accounts_user), (SELECT count(*) FROM notifications_message)")
    page = person.http.get(f"{live.stack.site_url}/sign-up/", timeout=120)
    assert page.ok
    live.stop("postgres")
    try:
        answer = person.fill_in("/sign-up/", email="no-db@example.com", name="", password="correct horse battery")
        assert answer.status == 503
        assert "Traceback" not in answer.text
        ready = person.http.get(f"{live.stack.site_url}/healthz/ready", timeout=120)
        alive = person.http.get(f"{live.stack.site_url}/healthz/live", timeout=120)
        assert (ready.status_code, alive.status_code) == (503, 200)
    finally:
        live.start("postgres")
    eventually(lambda: person.http.get(f"{live.stack.site_url}/healthz/ready", timeout=120).ok)
    after = live.sql("SELECT (SELECT count(*) FROM accounts_user), (SELECT count(*) FROM notifications_message)")
    assert after == before
    person.sign_up("no-db@example.com")
    eventually(lambda: live.accepted({"no-db@example.com"})["no-db@example.com"] == 1)


def test_every_acceptance_is_recorded_when_the_database_restarts_during_the_send(live):
    addresses = {f"restarted{number}@example.com" for number in range(8)}
    live.simulator.set_controls(latency_ms=1500)
    with ThreadPoolExecutor(4) as users:
        list(users.map(lambda address: live.site_client().sign_up(address), sorted(addresses)))
    eventually(lambda: live.simulator.stats()["in_flight"])
    live.stop("postgres")
    live.start("postgres")
    eventually(lambda: live.statuses(addresses) == {"sent"})
    assert set(live.accepted(addresses).values()) == {1}
    results = live.sql(
        "SELECT DISTINCT a.result FROM notifications_deliveryattempt a JOIN notifications_message m"
        " ON m.id = a.message_id WHERE m.to_address = ANY(%s)",
        list(addresses),
    )
    assert results == [("accepted",)]
