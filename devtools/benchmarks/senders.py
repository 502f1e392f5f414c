"""A worker process of `make bench-budget` without Celery and network: threads that deliver due messages.

The provider accepts each email immediately and records the time. The process prints "ready", reads a line with the time
to end, and prints the times of all calls.
"""

import json
import sys
import threading
import time

import django
from django.core.mail.backends.base import BaseEmailBackend

django.setup()

from notifications.delivery.attempt import Carrier  # noqa: E402
from notifications.delivery.deliver import deliver  # noqa: E402 - models need the apps to be ready
from notifications.models import Message  # noqa: E402
from notifications.outbox.backlog import take_due  # noqa: E402
from notifications.providers import registry  # noqa: E402
from notifications.providers.base.backend import Provider  # noqa: E402
from notifications.providers.base.failures import unknown  # noqa: E402
from notifications.providers.base.sending import Accepted, OutgoingEmail, ProviderError  # noqa: E402
from notifications.rules.states import Stream  # noqa: E402

CHUNK = 10
# A thread that got no grant or found no message pauses, to leave the machine to the others.
PAUSE_S = 0.06


class Notebook(Provider):
    name = "simulator"

    def __init__(self) -> None:
        self.moments: list[float] = []

    def connect(self) -> BaseEmailBackend:
        raise NotImplementedError

    def translate(self, error: Exception) -> ProviderError:
        return unknown(error)

    def missing_settings(self) -> list[str]:
        return []

    def send(self, mail: OutgoingEmail) -> Accepted:
        self.moments.append(time.time())
        return Accepted(str(len(self.moments)))


def main() -> None:
    threads = int(sys.argv[1])
    notebook = Notebook()
    registry.PROVIDERS["simulator"] = registry.ProviderSpec(lambda: notebook)
    warm_up()
    notebook.moments.clear()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    until = float(sys.stdin.readline())
    working = [threading.Thread(target=work, args=(until,)) for _ in range(threads)]
    for thread in working:
        thread.start()
    for thread in working:
        thread.join()
    json.dump(notebook.moments, sys.stdout)


def warm_up() -> None:
    # Send one message, so that Python and Django have loaded everything.
    ids = [due.id for due in take_due(Stream.BULK, 1)]
    deliver(ids, Stream.BULK, Carrier(task_id="warm-up", worker="warm-up"))
    assert Message.objects.filter(id__in=ids, status="sent").exists()  # noqa: S101 - a benchmark that sends nothing


def work(until: float) -> None:
    carrier = Carrier(task_id="bench", worker="bench")
    while time.time() < until:
        ids = [due.id for due in take_due(Stream.BULK, CHUNK)]
        report = deliver(ids, Stream.BULK, carrier, stopping=lambda: time.time() > until)
        if not ids or report.counts["deferred"]:
            time.sleep(PAUSE_S)


if __name__ == "__main__":
    main()
