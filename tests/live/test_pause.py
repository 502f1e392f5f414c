"""A pause holds email in real processes, and everything goes after it, once."""

import subprocess
import sys
from uuid import uuid4

import pytest

from config.environment import BASE_DIR
from tests.live.running import Running, eventually

pytestmark = [pytest.mark.live, pytest.mark.long]


def manage(running: Running, *words: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=BASE_DIR,
        env=running.stack.environment | {"MAILROOM_ROLE": "manage"},
        check=True,
    )


@pytest.mark.parametrize(
    ("what", "name"), [("stream", "default"), ("kind", "welcome"), ("provider", "simulator")], ids=str
)
def test_pause_holds_email_until_it_is_resumed(live: Running, what: str, name: str) -> None:
    addresses = {f"paused-{uuid4()}@example.com" for _ in range(3)}
    member = f"member-{uuid4()}@example.com"
    live.site_client().sign_up(member)
    eventually(lambda: live.statuses({member}) == {"sent"})
    manage(live, "pause", what, name, "--reason", "a test")
    try:
        for address in addresses:
            live.site_client().sign_up(address)
        eventually(lambda: is_held(live, addresses, parked=what != "provider"))
        assert live.accepted(addresses) == dict.fromkeys(addresses, 0)
        live.site_client().ask_for_reset(member)
        if what != "provider":
            # What is not paused is sent meanwhile.
            eventually(lambda: live.accepted({member}) == {member: 2})
    finally:
        manage(live, "resume", what, name)
    eventually(lambda: live.statuses(addresses) == {"sent"})
    eventually(lambda: live.accepted({member}) == {member: 2})
    assert live.accepted(addresses) == dict.fromkeys(addresses, 1)


def is_held(live: Running, addresses: set[str], *, parked: bool) -> bool:
    """Return whether a worker or the relay has met each message and left it."""
    rows = live.sql(
        "SELECT status, attempts, relay_after = expires_at, relayed FROM notifications_message"
        " WHERE to_address = ANY(%s)",
        list(addresses),
    )
    assert {(status, attempts) for status, attempts, *_ in rows} == {("queued", 0)}
    return len(rows) == len(addresses) and (not parked or all(is_parked for *_, is_parked, _ in rows))
