"""In any order of events, no accepted message is lost, only a settlement duplicates one, and every one ends.

Runs the real code on a real database and a real broker; the provider's answers are drawn. Several workers are claims
that continue step by step, so that each can freeze, crash or continue late between any two steps.
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

pytestmark = [
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("valkey", "provider"),
]

# Low limits, so that a few steps reach them.
KINDS = [
    replace(emails.WELCOME, max_attempts=5),
    replace(emails.PASSWORD_RESET, max_attempts=1),
    replace(emails.PRODUCT_NEWS, max_attempts=2),
]
COMMON = settings(
    deadline=None, database=None, suppress_health_check=list(HealthCheck), stateful_step_count=60, print_blob=False
)
# The same steps every time: a failure of a commit is reproducible.
SHORT = settings(COMMON, max_examples=36, derandomize=True)
LONG = settings(COMMON, max_examples=1200)
# A failure is minimized before it is shown.
SHRINKING_S = 600


@pytest.fixture
def machine(settings, registered, monkeypatch):
    # Every report is of a scripted call; one soft bounce suppresses; no address reaches its hourly limit.
    registered("scripted", webhook=ScriptedWebhook)
    settings.SOFT_BOUNCE_LIMIT, settings.SUPPRESSION_COOL_OFF_H, settings.EMAIL_ADDRESS_HOURLY = 1, 1, 1000
    # On a busy machine, a slow publish is not a broker failure.
    monkeypatch.setattr(publish, "cooldown", Cooldown(3600.0))
    for kind in KINDS:
        monkeypatch.setitem(kinds.KINDS, kind.name, kind)
    with world.another_connection() as other:
        yield type("Machine", (Machine,), {"other": other})


@pytest.mark.timeout(SHRINKING_S)
def test_no_message_is_lost_or_duplicated_in_any_order(machine):
    run_state_machine_as_test(machine, settings=SHORT)


@pytest.mark.long
@pytest.mark.timeout(1800 + SHRINKING_S)
def test_no_message_is_lost_or_duplicated_in_any_order_for_long(machine):
    number = int(os.environ.get("SEED") or secrets.randbits(32))
    print(f"again with: SEED={number} make test-long")  # noqa: T201 - shown when the test fails
    run_state_machine_as_test(seed(number)(machine), settings=LONG)
