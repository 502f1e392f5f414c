"""Things are stopped, wiped and killed; what people were told comes true."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from tests.live.running import WORKERS, eventually

pytestmark = pytest.mark.live


def broker(live):
    return redis.Redis.from_url(live.stack.environment["REDIS_URL"])


def test_redis_stopped_people_sign_up_and_get_their_mail_when_it_is_back(live):
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


def test_redis_wiped_with_500_published_one_by_one_each_is_sent_once(live):
    addresses = {f"wiped{number}@example.com" for number in range(500)}
    live.stop(*WORKERS)
    try:
        live.stack.manage(
            *("shell", "-v", "0", "-c"),
            "from accounts.models import User\n"
            "for number in range(500): User.objects.create_user(f'wiped{number}@example.com')",
        )
        with broker(live) as client:
            # A busy broker may refuse some at first; the relay publishes those.
            eventually(lambda: client.llen("default") >= 500)
            client.flushall()
    finally:
        live.start(*WORKERS)
    eventually(lambda: live.statuses(addresses) == {"sent"})
    assert set(live.accepted(addresses).values()) == {1}


def test_worker_asked_to_end_finishes_what_it_sends(live):
    addresses = {f"asked{number}@example.com" for number in range(8)}
    live.simulator.set_controls(latency_ms=1500)
    with ThreadPoolExecutor(4) as people:
        list(people.map(lambda address: live.site_client().sign_up(address), sorted(addresses)))
    eventually(lambda: live.simulator.stats()["in_flight"])
    live.stop(*WORKERS)
    live.start(*WORKERS)
    eventually(lambda: live.statuses(addresses) == {"sent"})
    assert set(live.accepted(addresses).values()) == {1}


def test_database_stopped_people_see_a_clean_page_and_nothing_is_half_written(live):
    person = live.site_client()
    before = live.sql("SELECT (SELECT count(*) FROM accounts_user), (SELECT count(*) FROM notifications_message)")
    page = person.http.get(f"{live.stack.site_url}/sign-up/", timeout=120)
    assert page.ok
    live.stop("postgres")
    try:
        answer = person.fill_in("/sign-up/", email="no-db@example.com", name="", password="correct horse battery")
        assert answer.status == 503
        assert "Traceback" not in answer.text
        assert "try again" in answer.text.lower()
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


def test_database_restarted_in_mid_send_every_acceptance_is_written_down(live):
    addresses = {f"restarted{number}@example.com" for number in range(8)}
    live.simulator.set_controls(latency_ms=1500)
    with ThreadPoolExecutor(4) as people:
        list(people.map(lambda address: live.site_client().sign_up(address), sorted(addresses)))
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
