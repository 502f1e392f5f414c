"""Without Redis, each process keeps to a small limit, and no worker waits for Redis for long."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from notifications.budget import quota, scripts
from notifications.budget.grants import Grant, release, reserve, throttle
from notifications.budget.keys import day_key
from notifications.providers.base.account import Quota
from notifications.rules.states import Stream
from notifications.runtime import redis_client
from notifications.runtime.redis_client import client
from tests.scripted import ScriptedAccount

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


@pytest.fixture(autouse=True)
def two_per_second(settings):
    settings.EMAIL_RATE, settings.EMAIL_STREAM_RATES, settings.EMAIL_FALLBACK_SHARE = "20", "", 0.1


@contextmanager
def redis_at(monkeypatch, port):
    """Let the budget use another Redis on `port`, running or not."""
    other = redis_client.new_client(f"redis://127.0.0.1:{port}/0")
    with monkeypatch.context() as patch:
        patch.setattr(scripts, "script", other.register_script)
        yield
    other.close()


def connections(listener):
    """Return the number of connections to a listening socket."""
    listener.setblocking(False)
    count = 0
    while True:
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


@pytest.fixture
def unreachable(monkeypatch):
    with redis_at(monkeypatch, 1):
        yield


@pytest.mark.parametrize(("stream", "granted"), [(Stream.CRITICAL, 2), (Stream.DEFAULT, 2), (Stream.BULK, 0)])
def test_all_streams_but_bulk_get_a_small_share(unreachable, stream, granted):
    grant = reserve("ses", stream, 5)
    assert (grant.count, len(grant.waits_s)) == (granted, 5 - granted)


def test_refused_messages_wait_according_to_the_rate(unreachable):
    first, second, third = reserve("ses", Stream.DEFAULT, 5).waits_s
    assert 0.4 < first <= 0.5
    assert second - first == pytest.approx(0.5)
    assert third - second == pytest.approx(0.5)


def test_streams_and_threads_share_one_bucket(unreachable):
    granted = []

    def take(stream):
        granted.extend(reserve("ses", stream, 1).count for _ in range(20))

    threads = [threading.Thread(target=take, args=(stream,)) for stream in (Stream.CRITICAL, Stream.DEFAULT) * 4]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 2 <= sum(granted) <= 2 + 2 * (time.monotonic() - began) + 1


def test_last_rate_of_the_account_is_kept(settings, monkeypatch, db):
    settings.EMAIL_RATE, settings.EMAIL_QUOTA_SHARE = "100", 1.0
    quota.refresh("ses", ScriptedAccount(quota=Quota(per_second=20, per_day=None, sent_today=0)))
    reserve("ses", Stream.CRITICAL, 1)
    with redis_at(monkeypatch, 1):
        assert reserve("ses", Stream.CRITICAL, 50).count == 2


def test_provider_without_a_rate_gets_a_little(settings, unreachable):
    settings.EMAIL_RATE = ""
    assert reserve("ses", Stream.CRITICAL, 50).count == 1


def test_pause_applies_without_redis(unreachable):
    throttle("ses", retry_after_s=30)
    grant = reserve("ses", Stream.CRITICAL, 1)
    assert grant.count == 0
    assert 29 < grant.waits_s[0] <= 30


def test_hanging_redis_costs_one_timeout(monkeypatch):
    monkeypatch.setattr(redis_client, "TIMEOUT_S", 0.3)
    with socket.socket() as hung:
        hung.bind(("127.0.0.1", 0))
        hung.listen()
        with redis_at(monkeypatch, hung.getsockname()[1]):
            began = time.monotonic()
            reserve("ses", Stream.CRITICAL, 1)
            once = time.monotonic() - began
            for _ in range(20):
                reserve("ses", Stream.CRITICAL, 1)
                release("ses", Stream.CRITICAL, Grant(1, granted_at=1), 1)
                throttle("ses")
            all_others = time.monotonic() - began - once
    # One timeout, not two, on any machine.
    assert once >= 0.3
    assert all_others < 20 * 0.3


def test_redis_is_asked_again_after_the_cooldown(monkeypatch):
    with redis_at(monkeypatch, 1):
        reserve("ses", Stream.CRITICAL, 1)
    assert reserve("ses", Stream.BULK, 1).count == 0
    redis_client.cooldown.clear()
    assert reserve("ses", Stream.BULK, 1).count == 1


def test_quota_that_cannot_be_stored_is_logged(unreachable, caplog):
    assert quota.refresh("ses", ScriptedAccount(quota=Quota(per_second=20, per_day=None, sent_today=0))) is None
    assert "quota of ses" in caplog.text


def counted_today():
    return sum(int(count) for count in client().hvals(day_key("ses")))


def test_debt_is_counted_once_however_many_threads_find_redis_back(settings, monkeypatch):
    settings.EMAIL_FALLBACK_SHARE = 1.0
    reserve("ses", Stream.CRITICAL, 1)
    with redis_at(monkeypatch, 1):
        sent = sum(reserve("ses", Stream.CRITICAL, 1).count for _ in range(13))
    assert sent == 13
    redis_client.cooldown.clear()
    with ThreadPoolExecutor(16) as threads:
        granted = sum(grant.count for grant in threads.map(lambda _: reserve("ses", Stream.CRITICAL, 1), range(16)))
    assert counted_today() == 1 + sent + granted


def test_debt_is_kept_during_an_outage_of_redis(settings, monkeypatch):
    settings.EMAIL_FALLBACK_SHARE = 1.0
    reserve("ses", Stream.CRITICAL, 1)
    with redis_at(monkeypatch, 1):
        reserve("ses", Stream.CRITICAL, 1)
        redis_client.cooldown.clear()
        reserve("ses", Stream.CRITICAL, 1)
    redis_client.cooldown.clear()
    reserve("ses", Stream.CRITICAL, 1)
    assert counted_today() == 4


def test_rebuilt_count_includes_the_debt(monkeypatch):
    reserve("ses", Stream.CRITICAL, 1)
    with redis_at(monkeypatch, 1):
        reserve("ses", Stream.CRITICAL, 1)
    client().flushdb()
    redis_client.cooldown.clear()
    reserve("ses", Stream.CRITICAL, 1)
    # No row was written in this test.
    assert counted_today() == 1
