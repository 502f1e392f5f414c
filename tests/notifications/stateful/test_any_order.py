"""Anything, in any order: no accepted message vanishes, none is doubled but by a settlement, every one comes to an end.

What is driven is the code itself on a real database and a real broker; the provider is drawn. Several workers are
claims that go on one step at a time, so that each can freeze, crash or come back late between any two of them.
"""

import os
import secrets
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from accounts import emails
from notifications import kinds
from notifications.outbox import publish
from notifications.runtime.redis_client import Cooldown
from tests.notifications.stateful import world
from tests.notifications.stateful.machine import Machine
from tests.scripted_webhook import ScriptedWebhook

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey", "provider")]

# Low ceilings, so that a few steps reach them.
KINDS = [
    replace(emails.WELCOME, max_attempts=5),
    replace(emails.PASSWORD_RESET, max_attempts=1),
    replace(emails.PRODUCT_NEWS, max_attempts=2),
]
COMMON = settings(
    deadline=None, database=None, suppress_health_check=list(HealthCheck), stateful_step_count=60, print_blob=False
)
# The same steps every time: what is red in one run of a commit is red in the next.
SHORT = settings(COMMON, max_examples=36, derandomize=True)
LONG = settings(COMMON, max_examples=1200)
# A failure is made as small as can be before it is shown.
SHRINKING_S = 600


@pytest.fixture
def machine(settings, registered, monkeypatch):
    # Every report is of a scripted call; one soft bounce is enough; nobody is flooded.
    registered("scripted", webhook=ScriptedWebhook)
    settings.SOFT_BOUNCE_LIMIT, settings.SUPPRESSION_COOL_OFF_H, settings.EMAIL_ADDRESS_HOURLY = 1, 1, 1000
    # What takes long here, and on a busy machine only, is no broker in trouble.
    monkeypatch.setattr(publish, "cooldown", Cooldown(3600.0))
    for kind in KINDS:
        monkeypatch.setitem(kinds.KINDS, kind.name, kind)
    with world.another_connection() as other:
        yield type("Machine", (Machine,), {"other": other})


@pytest.mark.timeout(SHRINKING_S)
def test_nothing_is_lost_or_doubled_in_any_order(machine):
    run_state_machine_as_test(machine, settings=SHORT)


@pytest.mark.long
@pytest.mark.timeout(1800 + SHRINKING_S)
def test_nothing_is_lost_or_doubled_in_any_order_for_long(machine):
    number = int(os.environ.get("SEED") or secrets.randbits(32))
    print(f"again with: SEED={number} make test-long")  # noqa: T201 - shown when the test fails
    run_state_machine_as_test(seed(number)(machine), settings=LONG)
