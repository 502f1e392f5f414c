"""What takes minutes of a broker's troubles: ten thousand messages lost at once, and every fault held for a while."""

import shutil
import time

import pytest
import redis

from devtools.benchmarks.faulty_broker import FaultyBroker
from devtools.stack.ports import free_port
from devtools.stack.stack import Ports, Stack
from tests.live.running import WORKERS, Running, environment, eventually
from tests.simulated import Simulated

pytestmark = [pytest.mark.live, pytest.mark.long, pytest.mark.timeout(600)]

SIGN_UPS = 10_000
RECOVERY_STARTS_WITHIN_S = 10.0
HELD_S = 8.0


def running(folder, **settings):
    ports = Ports(web=free_port(), flower=free_port(), simulator=free_port())
    stack = Stack(folder, ports, environment(**settings))
    try:
        stack.start(say=lambda _: None)
        live = Running(stack, Simulated(stack.simulator_url, stack.folder / "simulator"))
        live.simulator.set_controls(latency_ms=0)
        yield live
    finally:
        stack.stop()
        for server in stack.servers:
            server.destroy()


@pytest.fixture(scope="module")
def fast(tmp_path_factory):
    """A stack whose rate does not hold back ten thousand messages."""
    yield from running(tmp_path_factory.mktemp("fast"), EMAIL_RATE="2000", LOG_LEVEL="INFO")


@pytest.fixture(scope="module")
def harmed(tmp_path_factory):
    with FaultyBroker(tmp_path_factory.mktemp("broker")) as harmed:
        yield harmed


@pytest.fixture(scope="module")
def over_harmed(harmed, tmp_path_factory):
    yield from running(tmp_path_factory.mktemp("over harmed"), REDIS_URL=harmed.url, LOG_LEVEL="INFO")


def wiped(live, client):
    client.flushall()


def come_back_empty(live, client):
    live.stop("valkey")
    (server,) = [server for server in live.stack.servers if server.name == "valkey"]
    shutil.rmtree(server.folder / "appendonlydir")
    live.start("valkey")


@pytest.mark.parametrize("lose", [wiped, come_back_empty])
def test_broker_loses_ten_thousand_sign_ups_published_one_by_one_and_each_is_accepted_once(fast, lose):
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
            assert client.llen("default") >= SIGN_UPS
            lose(fast, client)
            eventually(lambda: client.llen("default"), within_s=RECOVERY_STARTS_WITHIN_S)
        finally:
            fast.start(*WORKERS)
    eventually(lambda: fast.statuses(addresses) == {"sent"}, within_s=300)
    assert set(fast.accepted(addresses).values()) == {1}


def pids(live):
    return {name: live.stack.supervisor.ask("getProcessInfo", name)["pid"] for name in (*WORKERS, "relay", "beat")}


@pytest.mark.parametrize("harm", ["refused", "frozen", "slow", "read_only", "full", "locked", "wiped", "restarted"])
def test_workers_and_relay_come_back_by_themselves_within_seconds(harmed, over_harmed, harm):
    live = over_harmed
    addresses = {f"{harm}{number}@example.com" for number in range(5)}
    after = f"after-{harm}@example.com"
    before = pids(live)
    with harmed.faults[harm]():
        for address in addresses:
            live.site_client().sign_up(address)
        # Long enough for everybody to notice, and to try again.
        time.sleep(HELD_S)
    live.site_client().sign_up(after)
    eventually(lambda: live.statuses({*addresses, after}) == {"sent"}, within_s=20)
    assert set(live.accepted({*addresses, after}).values()) == {1}
    assert pids(live) == before


def test_worker_without_a_broker_can_be_asked_to_end(harmed, over_harmed):
    with harmed.refused():
        eventually(lambda: "the broker is unavailable" in over_harmed.logs())
        over_harmed.stop("worker-bulk")
        ended = over_harmed.stack.supervisor.ask("getProcessInfo", "worker-bulk")
        assert ended["exitstatus"] == 0
    over_harmed.start("worker-bulk")
