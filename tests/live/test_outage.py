"""All providers are down for a minute, with five thousand messages waiting."""

import time
from collections import Counter

import pytest

from devtools.stack.ports import free_port
from devtools.stack.stack import Ports, Stack
from tests.live.running import KEYS, Running, environment, eventually
from tests.simulated import Simulated

pytestmark = [pytest.mark.live, pytest.mark.long, pytest.mark.timeout(600)]

PROVIDERS = ("ses", "sendgrid")
OUTAGE_S = 60
THREADS = 32
WAITING = {"password-reset": 250, "welcome": 750, "product-news": 4000}
STREAM = {"password-reset": "critical", "welcome": "default", "product-news": "bulk"}
ENQUEUE = """
from accounts.models import User
from notifications.outbox import Draft, enqueue_many
text = {"headline": "News", "paragraphs": ["The first."]}
for kind, count in reversed(KINDS.items()):
    people = User.objects.bulk_create(User(email=f"{kind}-{n}@example.com", wants_news=True) for n in range(count))
    context = text if kind == "product-news" else {}
    enqueue_many([Draft(kind=kind, to=person.email, user=person, context=context) for person in people])
"""


@pytest.fixture
def two_providers(tmp_path_factory):
    """Run a separate stack: its relay has to know the two providers too."""
    ports = Ports(web=free_port(), flower=free_port(), simulator=free_port())
    simulator = f"http://127.0.0.1:{ports.simulator}"
    settings = {
        "EMAIL_PROVIDERS": ",".join(PROVIDERS),
        "EMAIL_RATE": "200",
        "EMAIL_STREAM_RATES": "bulk=200",
        "SES_REGION": "eu-central-1",
        "SES_ENDPOINT_URL": simulator,
        "SENDGRID_API_URL": f"{simulator}/v3/",
        "LOG_LEVEL": "INFO",
        # The defaults or more: a busy machine must not leave messages uncertain, as no report would settle them.
        "PROVIDER_CONNECT_TIMEOUT_S": "10",
        "PROVIDER_READ_TIMEOUT_S": "25",
        "PROVIDER_DEADLINE_S": "28",
        "DELIVERY_LEASE_S": "60",
        "UNCERTAIN_SETTLE_S": "600",
    }
    stack = Stack(tmp_path_factory.mktemp("two providers"), ports, environment(**settings, **KEYS))
    try:
        stack.start(say=lambda _: None)
        running = Running(stack, Simulated(stack.simulator_url, stack.folder / "simulator"))
        # Ten thousand reports are another test.
        running.simulator.set_controls(latency_ms=50, webhook_lost_rate=1, quota_per_second=1000)
        yield running
    finally:
        stack.stop()
        for server in stack.servers:
            server.destroy()


def counted(live):
    """Return all attempts, and those that count towards a message's ceiling."""
    ((made, counting),) = live.sql(
        "SELECT sum(attempts), sum(attempts - attempts_forgiven) FROM notifications_message"
        " WHERE kind || '-' = substring(to_address FROM '^[a-z-]+')"
    )
    return made, counting


def statuses(live):
    return dict(
        live.sql(
            "SELECT status, count(*) FROM notifications_message"
            " WHERE kind || '-' = substring(to_address FROM '^[a-z-]+') GROUP BY 1"
        )
    )


def order_of_streams(live):
    """Return the stream of every accepted email in the order of the calls, and the number of copies by address."""
    everything = live.simulator.get("/api/messages", limit="100000").json()["messages"]
    taken = [entry for entry in everything if entry["to"].endswith("@example.com")]
    taken.sort(key=lambda entry: entry["request_started_at"])
    return [STREAM[entry["to"].rpartition("-")[0]] for entry in taken], Counter(entry["to"] for entry in taken)


def test_minute_without_a_provider_uses_no_attempt_and_every_message_is_sent_afterwards(two_providers, capsys):
    live = two_providers
    total = sum(WAITING.values())
    for provider in PROVIDERS:
        live.simulator.set_controls(provider, error_rate=1, error_status=503)
    began = time.monotonic()
    live.stack.manage("shell", "-v", "0", "-c", f"KINDS = {WAITING!r}\n{ENQUEUE}")
    eventually(lambda: all(provider in live.logs() for provider in ("ses is down", "sendgrid is down")))
    # Every call that was in flight when the circuits opened has ended by now.
    time.sleep(OUTAGE_S / 4)
    _, counting_early = counted(live)
    time.sleep(max(0.0, began + OUTAGE_S - time.monotonic()))
    made, counting = counted(live)
    queued = statuses(live)
    # The administrator's own welcome left before the outage.
    before = live.simulator.stats()["accepted"]
    for provider in PROVIDERS:
        live.simulator.set_controls(provider, error_rate=0)
    ended = time.monotonic()
    eventually(lambda: live.simulator.stats()["accepted"] > before, within_s=60)
    first_after_s = time.monotonic() - ended
    eventually(lambda: not {"queued", "sending"} & statuses(live).keys(), within_s=420)
    streams, copies = order_of_streams(live)
    last_critical = total - streams[::-1].index("critical")
    with capsys.disabled():
        print(  # noqa: T201 - the figures of a run that takes minutes
            f"\noutage: attempts={made} counting={counting} first_after_s={first_after_s:.1f}"
            f" all_after_s={time.monotonic() - ended:.1f} last_critical={last_critical}"
        )
    assert queued == {"queued": total}
    assert statuses(live) == {"sent": total}
    # Each circuit opens at the fifth failure; what other threads have in flight then fails too.
    assert counting <= len(PROVIDERS) * (5 + THREADS)
    # Waiting uses no attempt: later ones are probes, at most six a minute.
    # An attempt that was in flight at the first count has been forgiven since.
    assert counting <= counting_early
    assert made - counting <= len(PROVIDERS) * 6
    assert len(copies) == total
    assert set(copies.values()) == {1}
    # Critical messages are guaranteed half of the rate, and borrow first: the last of them is sent among twice their
    # number, give or take those in flight.
    assert last_critical <= 2 * WAITING["password-reset"] + 400
