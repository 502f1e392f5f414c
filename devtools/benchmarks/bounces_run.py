"""The run of `make bench-bounces`, started by devtools.benchmarks.bounces."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import django

django.setup()

from django.db import connection  # noqa: E402 - models need the apps to be ready
from django.db.models.functions import Now  # noqa: E402

from config.processes import PROCESSES  # noqa: E402
from devtools.benchmarks.workers import running  # noqa: E402
from notifications.events import ingest  # noqa: E402
from notifications.models import Message, ProviderEvent, Suppression  # noqa: E402
from notifications.providers.base.webhook import RawEvent  # noqa: E402
from notifications.rules.states import Status, Stream  # noqa: E402
from notifications.runtime.roles import Role  # noqa: E402

BOUNCES, SUPPRESSIONS = 500, 1_000_000
WRITE_EVERY_S = 0.02
GIVE_UP_S = 120.0
MOST_S = 1.0
RELAY = next(process for process in PROCESSES if process.role is Role.RELAY)
FILL = """
INSERT INTO notifications_suppression
    (address, reason, detail, provider, lifted_at, lift_reason, provider_lift, probe_id)
SELECT 'person' || n || '@example.com', (ARRAY['hard bounce', 'soft bounces', 'complaint'])[1 + n %% 3], '550 5.1.1',
    'simulator', CASE WHEN n %% 10 = 0 THEN now() END, '', '', CASE WHEN n %% 3 = 1 THEN gen_random_uuid() END
FROM generate_series(1, %s) AS n
"""


def main() -> int:
    with connection.cursor() as cursor:
        cursor.execute(FILL, [SUPPRESSIONS])
        cursor.execute("VACUUM ANALYZE notifications_suppression")
    messages = Message.objects.bulk_create([_message(f"gone{n}@example.net", Status.SENT) for n in range(BOUNCES)])
    with running(Path(sys.argv[1]), {"relay": RELAY}, {}), _email_becomes_due():
        _wait(lambda: _published() > 0)
        before, began = _published(), time.perf_counter()
        ingest.store("simulator", [_bounce(message) for message in messages])
        _wait(lambda: not ProviderEvent.objects.filter(state=ProviderEvent.State.STORED).exists())
        read_s, published = time.perf_counter() - began, _published() - before
    listed = Suppression.objects.in_force([message.to_address for message in messages]).count()
    if listed != BOUNCES:
        sys.stdout.write(f"{listed} of {BOUNCES} addresses are suppressed\n")
        return 1
    figures = f"events={BOUNCES} suppressions={SUPPRESSIONS} read_s={read_s:.2f} published_meanwhile={published}"
    sys.stdout.write(f"bounces: {figures}\n")
    return 0 if read_s <= MOST_S and published else 1


@contextmanager
def _email_becomes_due() -> Iterator[None]:
    """Write messages that only the relay can publish, until the block ends."""
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.wait(WRITE_EVERY_S):
            number += 1
            _message(f"due{number}@example.org", Status.QUEUED).save(force_insert=True)
        connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _message(address: str, status: Status) -> Message:
    return Message(
        kind="welcome",
        stream=Stream.DEFAULT,
        to_address=address,
        idempotency_key=address,
        status=status,
        sent_at=Now() if status is Status.SENT else None,
    )


def _bounce(message: Message) -> RawEvent:
    # The simulator's report, in SendGrid's format, about an address that does not exist.
    said = {"event": "bounce", "type": "bounce", "status": "5.1.1", "reason": "550 5.1.1 no such user"}
    ours = {"email": message.to_address, "mailroom_message_id": str(message.id), "timestamp": int(time.time())}
    return RawEvent(str(uuid4()), said | ours)


def _published() -> int:
    return Message.objects.filter(relayed__gt=0).count()


def _wait(happened: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + GIVE_UP_S
    while not happened():
        if time.monotonic() > give_up_at:
            raise SystemExit(f"not finished within {GIVE_UP_S:g} s")
        time.sleep(0.03)


if __name__ == "__main__":
    sys.exit(main())
