import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from notifications.runtime.redis_client import client, reset


@pytest.fixture(autouse=True)
def unknown():
    reset()
    yield
    reset()


def test_simultaneous_first_calls_share_one_client(monkeypatch):
    from_url = redis.Redis.from_url

    def slowly(*args, **kwargs):
        made = from_url(*args, **kwargs)
        time.sleep(0.05)
        return made

    monkeypatch.setattr(redis.Redis, "from_url", slowly)
    with ThreadPoolExecutor(8) as threads:
        clients = list(threads.map(lambda _: client(), range(8)))
    assert len({id(one) for one in clients}) == 1
