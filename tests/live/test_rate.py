"""All worker processes together keep to one rate."""

from datetime import datetime

import pytest

from notifications.budget.terms import burst
from tests.live.running import eventually

pytestmark = [pytest.mark.live, pytest.mark.long]

# The default for the simulator.
RATE = 50


def test_two_worker_processes_keep_to_one_rate(live):
    addresses = {f"rate{number}@example.com" for number in range(300)}
    live.stop("worker-main", "worker-bulk")
    live.stack.manage(
        *("shell", "-v", "0", "-c"),
        "from accounts.models import User\n"
        "for number in range(300): User.objects.create_user(f'rate{number}@example.com')",
    )
    live.start("worker-main", "worker-bulk")
    # The database first: the simulator returns everything that it has accepted.
    eventually(lambda: live.statuses(addresses) == {"sent"})
    eventually(lambda: set(live.accepted(addresses).values()) == {1})
    workers = live.sql(
        "SELECT a.worker, count(*) FROM notifications_deliveryattempt a JOIN notifications_message m"
        " ON m.id = a.message_id WHERE m.to_address = ANY(%s) GROUP BY 1",
        list(addresses),
    )
    assert len(workers) == 2
    starts = sorted(
        datetime.fromisoformat(entry["request_started_at"]).timestamp()
        for entry in live.simulator.messages(to="rate")
        if entry["to"] in addresses
    )
    for window_s in (1.0, 2.0, 4.0):
        busiest = max(sum(start <= other < start + window_s for other in starts) for start in starts)
        assert busiest <= RATE * window_s + burst(RATE)
