"""Workers of two versions run together: a kind that only the newer one knows waits for it."""

import pytest

from devtools.chaos.older_worker import older_worker
from tests.live.running import eventually

pytestmark = [pytest.mark.live, pytest.mark.long]

OTHERS = """
from notifications.outbox import Draft, enqueue_many
context = {"sender": "An operator", "sent_from": "here"}
enqueue_many([Draft(kind="provider-test", to=f"other{n}@example.com", context=context) for n in range(20)])
"""


def rows(live, addresses):
    return set(
        live.sql(
            "SELECT status, attempts, error_fingerprint FROM notifications_message WHERE to_address = ANY(%s)",
            list(addresses),
        )
    )


def test_unknown_kind_waits_for_a_newer_worker_and_delays_no_other_message(unattended):
    unknown = {f"newer{number}@example.com" for number in range(3)}
    others = {f"other{number}@example.com" for number in range(20)}
    with older_worker(unattended.stack):
        for address in unknown:
            unattended.site_client().sign_up(address)
        eventually(lambda: rows(unattended, unknown) == {("queued", 0, "kind/UnknownKindError")})
        unattended.stack.manage("shell", "-v", "0", "-c", OTHERS)
        eventually(lambda: unattended.statuses(others) == {"sent"})
        unattended.start("worker-main")
        eventually(lambda: rows(unattended, unknown) == {("sent", 1, "")})
    assert set(unattended.accepted(unknown | others).values()) == {1}
