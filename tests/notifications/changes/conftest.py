"""Receivers of `message_changed` that exist for one test."""

import pytest

from notifications.signals import message_changed


@pytest.fixture
def connected():
    """Return a function that connects a receiver until the test ends."""
    receivers = []

    def connect(receiver):
        message_changed.connect(receiver, weak=False)
        receivers.append(receiver)
        return receiver

    yield connect
    for receiver in receivers:
        message_changed.disconnect(receiver)


@pytest.fixture
def calls(connected):
    """Connect a receiver that keeps what it gets, and return its list."""
    kept = []

    def keep(signal, sender, **values):
        kept.append(values)

    connected(keep)
    return kept
