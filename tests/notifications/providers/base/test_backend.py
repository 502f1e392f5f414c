"""How every provider sends, with any library."""

import time

import pytest
from django.core.mail.backends.base import BaseEmailBackend

from notifications.providers.base import connections, deadline
from notifications.providers.base.backend import Provider
from notifications.providers.base.failures import unknown
from notifications.providers.base.sending import Accepted, ProviderError
from notifications.rules.retry import ErrorClass
from tests.notifications.providers.base.outgoing import outgoing


class Slow(Provider):
    """Accepts the email, but only at its deadline."""

    name = "slow"

    def connect(self):
        return SlowBackend()

    def translate(self, error):
        return unknown(error)

    def missing_settings(self):
        return []


class SlowBackend(BaseEmailBackend):
    def open(self):
        return False

    def close(self):
        pass

    def send_messages(self, messages):
        while not deadline._here.owner.call.is_over:
            time.sleep(0.01)
        return len(messages)


def test_acceptance_at_the_deadline_counts_but_its_connection_is_dropped(settings):
    settings.PROVIDER_DEADLINE_S = 0.05
    assert isinstance(Slow().send(outgoing()), Accepted)
    assert "slow" not in connections._here.kept.warm


def test_failing_translation_is_ambiguous(settings, monkeypatch):
    def fail(self, error):
        raise KeyError("canary")

    monkeypatch.setattr(Slow, "translate", fail)
    monkeypatch.setattr(SlowBackend, "send_messages", fail)
    with pytest.raises(ProviderError) as refused:
        Slow().send(outgoing())
    assert refused.value.error_class is ErrorClass.AMBIGUOUS
    assert "canary" not in repr(refused.value)
