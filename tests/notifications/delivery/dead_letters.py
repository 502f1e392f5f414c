"""Dead letters, and reasons against a replay."""

from datetime import timedelta

from django.db.models.functions import Now

from notifications.rules.states import Status
from tests.factories import MessageFactory

FINGERPRINT = "scripted/http-500"


def dead(**fields):
    return MessageFactory(**{"status": Status.DEAD, "error_fingerprint": FINGERPRINT, "attempts": 3} | fields)


def expired():
    return dead(expires_at=Now() - timedelta(seconds=1))


def broken():
    return dead(kind="long-gone")
