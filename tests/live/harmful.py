"""Included by a Celery worker (`-I tests.live.harmful`): some messages always fail, some hold their thread."""

import threading

from notifications.providers.base.sending import Accepted, OutgoingEmail, ProviderError
from notifications.providers.simulator.backend import Simulator
from notifications.rules.retry import ErrorClass

_send = Simulator.send


def send(self: Simulator, mail: OutgoingEmail) -> Accepted:
    if mail.to_address.startswith("poison"):
        raise ProviderError(ErrorClass.TRANSIENT, "http-500")
    if mail.to_address.startswith("stuck"):
        threading.Event().wait(600)
    return _send(self, mail)


Simulator.send = send  # type: ignore[method-assign, assignment]
