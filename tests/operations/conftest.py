"""Fixtures of the scripted situations."""

import pytest

from notifications.outbox import relay
from tests.operations.world import World
from tests.scripted_webhook import ScriptedWebhook


@pytest.fixture
def world(db, valkey, provider, second, registered, settings):
    registered("scripted", webhook=ScriptedWebhook)
    # Otherwise, the first round would find the broker emptied, and make everything due.
    relay.release_after_loss(unsure=False)
    world = World(provider, second, settings)
    yield world
    world.worker.close()
