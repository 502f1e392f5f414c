"""Run a project's code while its worker is killed and its broker wiped."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import redis
from django.conf import ENVIRONMENT_VARIABLE
from django.db import connection

from notifications import kinds
from notifications.models import Message
from notifications.rules.states import Status, Stream
from notifications.runtime.redis_client import client
from notifications.runtime.roles import Role
from notifications.testing.proof.comparison import BrokenPromiseError, Proof, compare, complaints
from notifications.testing.proof.journal import Journal
from notifications.testing.proof.processes import Processes

#: Does what causes the email, for this address. A response with a status of 400 or more is a rejection.
Act = Callable[[str], Any]
ADDRESS = "person-{number}@prove.example"
#: For what takes seconds on a quiet machine.
PATIENCE_S = 120.0
LOOK_EVERY_S = 0.1
#: A worker has recorded answers older than this.
FRESH_S = 5.0
BAD_REQUEST = 400
# What Mailroom and its broker keep in Redis. It may be deleted: PostgreSQL remembers the messages.
_OURS = ("mailroom:", "_kombu.", "unacked")


class CannotProveError(RuntimeError):
    """`prove` lacks something. The text names it."""


def prove(act: Act, *, kind: str, people: int = 50) -> Proof:
    """Call `act` for this many addresses during faults, and return what the journal proves.

    A worker is killed during calls to the provider, and the broker is wiped while messages wait in it. Every
    acknowledged address must get exactly one email of this kind; a second copy needs a lost answer as its reason.
    Prints the summary line. Raises BrokenPromiseError, and CannotProveError if something is missing.
    """
    kinds.get(kind)
    if missing := list(_missing()):
        raise CannotProveError("prove() needs something else:\n" + "\n".join(f"- {one}" for one in missing))
    with (
        TemporaryDirectory(prefix="mailroom-proof-") as folder,
        Journal() as journal,
        Processes(Path(folder), journal.url) as processes,
    ):
        return _Run(act, kind, journal, processes).run(people)


class _Run:
    def __init__(self, act: Act, kind: str, journal: Journal, processes: Processes) -> None:
        self.act, self.kind, self.journal, self.processes = act, kind, journal, processes
        self.began_at = time.monotonic()
        self.promised: list[str] = []
        self.rejected = 0
        # Ids of messages for which the killed worker may not have recorded the answer.
        self.in_hand: set[str] = set()

    def run(self, people: int) -> Proof:
        third = max(1, people // 3)
        self.processes.start(Role.WORKER)
        self.processes.start(Role.RELAY)
        self._call(range(third))
        self._kill_worker_during_a_call()
        # Without a worker, these wait in the broker when it is wiped.
        self._call(range(third, 2 * third))
        client().flushdb()
        self.processes.start(Role.WORKER)
        self._call(range(2 * third, people))
        self._wait(lambda: not _open_messages().exists(), "every message is settled")
        return self._proof()

    def _call(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            address = ADDRESS.format(number=number)
            if getattr(self.act(address), "status_code", 0) < BAD_REQUEST:
                self.promised.append(address)
            else:
                self.rejected += 1

    def _kill_worker_during_a_call(self) -> None:
        if not self.promised:
            return
        self._wait(lambda: self.journal.is_in_call, "the worker sends the first emails")
        self.processes.freeze(Role.WORKER)
        fresh = time.monotonic() - FRESH_S
        self.in_hand = {entry.message_id for entry in self.journal.entries if entry.accepted_at > fresh}
        self.processes.kill(Role.WORKER)

    def _wait(self, is_over: Callable[[], bool], what: str) -> None:
        give_up_at = time.monotonic() + PATIENCE_S
        while not is_over():
            if ended := list(self.processes.ended()):
                raise CannotProveError("\n".join(ended))
            if time.monotonic() > give_up_at:
                raise BrokenPromiseError(f"waited {PATIENCE_S:.0f} s until {what}:\n{_listed()}")
            time.sleep(LOOK_EVERY_S)

    def _proof(self) -> Proof:
        rows = Message.objects.filter(kind=self.kind, to_address__in=self.promised)
        others = {
            str(message_id) for message_id in Message.objects.exclude(kind=self.kind).values_list("id", flat=True)
        }
        entries = [entry for entry in self.journal.entries if entry.message_id not in others]
        held = set(rows.filter(status=Status.UNCERTAIN).values_list("to_address", flat=True))
        proof = Proof(
            comparison=compare(self.promised, entries, self.in_hand, held),
            uncertain_settled=rows.filter(uncertain_resends__gt=0).count(),
            rejected=self.rejected,
            took_s=time.monotonic() - self.began_at,
        )
        sys.stdout.write(f"{proof}\n")
        if wrong := list(complaints(proof, {row.to_address: _about(row) for row in rows})):
            raise BrokenPromiseError("\n".join([str(proof), *wrong]))
        return proof


def _missing() -> Iterator[str]:
    if not os.environ.get(ENVIRONMENT_VARIABLE):
        yield f"{ENVIRONMENT_VARIABLE}: the processes import the project's settings"
    if connection.vendor != "postgresql":
        yield f"PostgreSQL as the test's database, not {connection.vendor}"
    elif connection.in_atomic_block:
        yield "a test that commits: django_db(transaction=True), or TransactionTestCase"
    elif Message.objects.exists():
        yield "a database without messages"
    try:
        foreign = [key for key in client().scan_iter(count=1000) if not _is_ours(key.decode(errors="replace"))]
    except redis.RedisError as error:
        yield f"Redis or Valkey at REDIS_URL ({type(error).__name__})"
    else:
        if foreign:
            yield f"an empty Redis database at REDIS_URL, because it is wiped; this one has {len(foreign)} other keys"


def _is_ours(key: str) -> bool:
    return key.startswith(_OURS) or key in Stream.values


def _open_messages() -> Any:
    # Uncertain ones without a time wait for an operator.
    waiting = Message.objects.filter(status__in=[Status.QUEUED, Status.SENDING])
    return waiting | Message.objects.filter(status=Status.UNCERTAIN, settle_at__isnull=False)


def _listed() -> str:
    return "\n".join(f"  {row.kind} to {row.to_address}: {_about(row)}" for row in _open_messages()[:10])


def _about(row: Message) -> str:
    return " ".join(filter(None, [row.status, row.status_reason, row.error_fingerprint]))
