import math

import pytest

from notifications import pauses
from tests.scripted_webhook import ScriptedWebhook


@pytest.fixture(autouse=True)
def nothing_paused(monkeypatch):
    """Count no question for the pauses: a process asks once per READ_EVERY_S, not per email."""
    monkeypatch.setattr(pauses, "_seen", ())
    monkeypatch.setattr(pauses, "_read_at", math.inf)


@pytest.fixture
def reporting(registered, provider):
    """Let the scripted provider report what it sent, so that messages are handed over together."""
    registered("scripted", webhook=ScriptedWebhook)


@pytest.fixture
def batching(reporting, provider, settings):
    """Return the only provider of this test: it takes batches and reports what it sent."""
    provider.largest = 500
    settings.EMAIL_RATE = settings.EMAIL_STREAM_RATES = ""
    return provider
