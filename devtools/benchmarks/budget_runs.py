"""The runs of `make bench-budget`, started by devtools.benchmarks.budget."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import django

django.setup()

from django.db import connection  # noqa: E402 - models need the apps to be ready

from accounts import emails  # noqa: E402
from accounts.models import User  # noqa: E402
from config.processes import PROCESSES  # noqa: E402
from devtools.benchmarks import windows  # noqa: E402
from devtools.benchmarks.sink import Sink  # noqa: E402
from devtools.benchmarks.workers import READY_WITHIN_S, Sender, running  # noqa: E402
from devtools.stack.console import say  # noqa: E402
from devtools.stack.facts import percentile  # noqa: E402
from notifications.budget.terms import burst  # noqa: E402
from notifications.models import Message  # noqa: E402
from notifications.outbox import Draft, enqueue, enqueue_many  # noqa: E402
from notifications.rules.states import Stream  # noqa: E402
from notifications.runtime.redis_client import client  # noqa: E402
from notifications.runtime.roles import Role  # noqa: E402

RUN_S = 10.0
# The burst at the start must not hide a shortfall.
SETTLE_S = 1.0
WHOLE_S = SETTLE_S + RUN_S + 0.5
WINDOWS_S = (0.5, 1.0, 2.0, 5.0, RUN_S)
# Worker processes, and the threads of each plain one.
PROCESS_COUNTS = {1: 6, 2: 4, 6: 2}
CRITICAL_RATE = 50
CRITICAL_COUNT = 100
CRITICAL_EVERY_S = 0.2
MOST_UNDER_PCT = 3.0
LONGEST_P99_MS = 250.0
CONTEXT = {"headline": "What is new", "paragraphs": ["The first thing.", "The second thing."]}
RELAY = next(process for process in PROCESSES if process.role is Role.RELAY)
WORKERS = {process.name: process for process in PROCESSES if process.role is Role.WORKER}


class NothingSentError(RuntimeError):
    """The provider was never called in a run."""


def main() -> int:
    folder = Path(sys.argv[1])
    sink = Sink()
    sink.start()
    runs = [judge(500, count, "plain", plain(500, count)) for count in PROCESS_COUNTS]
    runs += [
        judge(rate, count, "real", real(folder, sink, rate, count)) for rate in (5, 50) for count in PROCESS_COUNTS
    ]
    waits_ms = [wait_s * 1000 for wait_s in critical_waits(folder, sink)]
    sink.stop()
    over, under = (max(figures) for figures in zip(*runs, strict=True))
    p50, p99 = percentile(waits_ms, 0.5), percentile(waits_ms, 0.99)
    say(f"{len(waits_ms)} critical messages during bulk at {CRITICAL_RATE}/s: p50 {p50:.0f} ms, p99 {p99:.0f} ms")
    say(f"budget: worst_over_pct={over:.2f} worst_under_pct={under:.2f} critical_p99_wait_ms={p99:.1f}")
    return 0 if over == 0 and under <= MOST_UNDER_PCT and p99 <= LONGEST_P99_MS else 1


def judge(rate: int, count: int, way: str, moments: Sequence[float]) -> tuple[float, float]:
    """Print a run's result; return by how many percent it was over and under. Raises NothingSentError."""
    if not moments:
        raise NothingSentError(f"{rate}/s with {count} worker processes")
    ordered = sorted(moments)
    over = windows.worst_over_pct(ordered, rate=rate, burst=burst(rate), lengths_s=WINDOWS_S)
    under = windows.under_pct(ordered, rate=rate, since=ordered[0] + SETTLE_S, length_s=RUN_S)
    fullest = ", ".join(f"{windows.fullest(ordered, length)} in {length:g} s" for length in WINDOWS_S)
    say(
        f"{rate}/s with {count} worker processes ({way}): {over:.2f} % over, {under:.2f} % under; "
        f"burst {burst(rate):.0f}, at most {fullest}"
    )
    return over, under


def plain(rate: int, count: int) -> list[float]:
    # Returns the moments of the provider calls of `count` plain processes.
    restart()
    load(int(rate * (WHOLE_S + 2)))
    senders = [Sender(rate, PROCESS_COUNTS[count]) for _ in range(count)]
    try:
        for sender in senders:
            sender.wait_ready()
        client().flushdb()
        until = time.time() + WHOLE_S
        for sender in senders:
            sender.send_until(until)
        return [moment for sender in senders for moment in sender.moments()]
    finally:
        for sender in senders:
            sender.end()


def real(folder: Path, sink: Sink, rate: int, count: int) -> list[float]:
    # Returns the moments of the provider calls of `count` Celery workers, for which the relay publishes.
    restart()
    workers = {f"bench-{number}": WORKERS["worker-main"] for number in range(count)}
    with running(folder, {"relay": RELAY, **workers}, _settings(sink, rate)):
        sink.calls.clear()
        load(int(rate * (WHOLE_S + 2)) + 500)
        wait_for_calls(sink)
        time.sleep(WHOLE_S)
    return [moment for _, moment in sink.calls]


def critical_waits(folder: Path, sink: Sink) -> list[float]:
    # Seconds from the commit of each critical message to its provider call, while bulk saturates the shipped workers.
    restart()
    people = User.objects.bulk_create(User(email=f"critical{number}@example.com") for number in range(CRITICAL_COUNT))
    with running(folder, {"relay": RELAY, **WORKERS}, _settings(sink, CRITICAL_RATE)):
        sink.calls.clear()
        load(int(CRITICAL_RATE * CRITICAL_COUNT * CRITICAL_EVERY_S * 1.5))
        wait_for_calls(sink)
        time.sleep(SETTLE_S)
        for person in people:
            enqueue(Draft(kind=emails.PASSWORD_RESET.name, to=person.email, user=person))
            time.sleep(CRITICAL_EVERY_S)
        time.sleep(SETTLE_S)
    called = dict(sink.calls)
    written = Message.objects.filter(stream=Stream.CRITICAL).values_list("id", "created_at")
    # A message that was never sent has waited infinitely long.
    return [called.get(str(message_id), float("inf")) - moment.timestamp() for message_id, moment in written]


def _settings(sink: Sink, rate: int) -> dict[str, str]:
    # The sink counts calls, and the rate is of emails.
    return {"EMAIL_RATE": str(rate), "EMAIL_BATCH_SIZE": "1", "SIMULATOR_URL": sink.url}


def restart() -> None:
    client().flushdb()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE accounts_user, notifications_message CASCADE")


def load(count: int) -> None:
    people = User.objects.bulk_create(
        User(email=f"reader{number}@example.com", wants_news=True) for number in range(count)
    )
    enqueue_many(
        [Draft(kind=emails.PRODUCT_NEWS.name, to=person.email, user=person, context=CONTEXT) for person in people]
    )


def wait_for_calls(sink: Sink) -> None:
    give_up_at = time.monotonic() + READY_WITHIN_S
    while not sink.calls and time.monotonic() < give_up_at:
        time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
