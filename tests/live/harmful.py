"""Makes some messages always fail and some block their thread, in a worker that imports it (`celery worker -I`)."""

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
