"""A broker that loses ten thousand messages, and one that fails in every way for some seconds."""

import shutil
import time

import pytest
import redis

from devtools.benchmarks.faulty_broker import FaultyBroker
from notifications.conf import settings
from tests.live.running import WORKERS, Running, environment, eventually, started
from tests.simulated import Simulated

pytestmark = [pytest.mark.live, pytest.mark.long, pytest.mark.timeout(600)]

SIGN_UPS = 10_000
# A second or two on a quiet machine.
RECOVERY_STARTS_WITHIN_S = 60.0
HELD_S = 8.0


def running(folder, **settings):
    with started(folder, environment(**settings)) as stack:
        live = Running(stack, Simulated(stack.simulator_url, stack.folder / "simulator"))
        live.simulator.set_controls(latency_ms=0)
        yield live


@pytest.fixture(scope="module")
def fast(tmp_path_factory):
    """A stack whose rate does not hold back ten thousand messages."""
    yield from running(tmp_path_factory.mktemp("fast"), EMAIL_RATE="2000", LOG_LEVEL="INFO")


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    with FaultyBroker(tmp_path_factory.mktemp("broker")) as faulty:
        yield faulty


@pytest.fixture(scope="module")
def with_faulty_broker(faulty, tmp_path_factory):
    yield from running(tmp_path_factory.mktemp("with faulty broker"), REDIS_URL=faulty.url, LOG_LEVEL="INFO")


def wiped(live, client):
    client.flushall()


def come_back_empty(live, client):
    live.stop("valkey")
    (server,) = [server for server in live.stack.servers if server.name == "valkey"]
    shutil.rmtree(server.folder / "appendonlydir")
    live.start("valkey")


@pytest.mark.parametrize("lose", [wiped, come_back_empty])
def test_each_of_ten_thousand_sign_ups_lost_by_the_broker_is_accepted_once(fast, lose):
    name = lose.__name__.replace("_", "-")
    addresses = {f"{name}{number}@example.com" for number in range(SIGN_UPS)}
    fast.stop(*WORKERS)
    with redis.Redis.from_url(fast.stack.environment["REDIS_URL"]) as client:
        try:
            fast.stack.manage(
                *("shell", "-v", "0", "-c"),
                "from accounts.models import User\n"
                f"for number in range({SIGN_UPS}): User.objects.create_user(f'{name}{{number}}@example.com')",
            )
            # Of a burst, only the first messages are published; the others wait for room.
            assert client.llen("default") >= settings.RELAY_HIGH_WATER
            assert fast.statuses(addresses) == {"queued"}
            lose(fast, client)
            eventually(lambda: client.llen("default"), within_s=RECOVERY_STARTS_WITHIN_S)
        finally:
            fast.start(*WORKERS)
    eventually(lambda: fast.statuses(addresses) == {"sent"}, within_s=300)
    assert set(fast.accepted(addresses).values()) == {1}


def pids(live):
    return {name: live.stack.supervisor.ask("getProcessInfo", name)["pid"] for name in (*WORKERS, "relay", "beat")}


@pytest.mark.parametrize("fault", ["refused", "frozen", "slow", "read_only", "full", "locked", "wiped", "restarted"])
def test_workers_and_relay_recover_from_a_fault_without_a_restart(faulty, with_faulty_broker, fault):
    live = with_faulty_broker
    addresses = {f"{fault}{number}@example.com" for number in range(5)}
    after = f"after-{fault}@example.com"
    before = pids(live)
    with faulty.faults[fault]():
        for address in addresses:
            live.site_client().sign_up(address)
        # Long enough for every process to notice, and to retry.
        time.sleep(HELD_S)
    live.site_client().sign_up(after)
    eventually(lambda: live.statuses({*addresses, after}) == {"sent"}, within_s=60)
    assert set(live.accepted({*addresses, after}).values()) == {1}
    assert pids(live) == before


def test_worker_without_a_broker_ends_when_asked(faulty, with_faulty_broker):
    with faulty.refused():
        eventually(lambda: "the broker is unavailable" in with_faulty_broker.logs())
        with_faulty_broker.stop("worker-bulk")
        ended = with_faulty_broker.stack.supervisor.ask("getProcessInfo", "worker-bulk")
        assert ended["exitstatus"] == 0
    with_faulty_broker.start("worker-bulk")
