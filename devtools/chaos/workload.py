"""The workload: people sign up at a steady rate; some reset their password, some double-click."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

import requests

from devtools.stack.facts import Fact
from devtools.stack.site_client import Answer, RejectedError, SavedTwiceError, SiteClient

# Requests at the same time.
MOST_CLIENTS = 32
# Every third person resets the password, and every fourth double-clicks "Sign up".
RESET_EVERY = 3
TWICE_EVERY = 4


class Result(StrEnum):
    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"  # a 503: try again later
    UNKNOWN = "unknown"  # no answer: an email may or may not follow
    UNEXPECTED = "unexpected"  # any other answer; no fault may cause one
    SAVED_TWICE = "saved-twice"  # both posts of a single-use link succeeded


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One request: when it was answered (seconds since 1970), how, and how long it took."""

    at: float
    kind: str
    address: str
    result: Result
    status: int
    took_s: float

    @property
    def fact(self) -> Fact:
        return self.kind, self.address


def address_of(number: int) -> str:
    return f"person{number}@example.com"


class Workload:
    """`operations` is the clients' log; the file `log` has the same lines.

    One of `reset_every` people resets the password, one of `twice_every` double-clicks; 0 for none. `clients`: most
    requests at the same time.

    `link_to` waits for the reset link sent to an address and returns it, or "". Without it, no one follows a link.
    """

    def __init__(
        self,
        site_url: str,
        log: Path,
        link_to: Callable[[str], str] | None = None,
        *,
        reset_every: int = RESET_EVERY,
        twice_every: int = TWICE_EVERY,
        clients: int = MOST_CLIENTS,
    ) -> None:
        self.site_url = site_url
        self.reset_every = reset_every
        self.twice_every = twice_every
        self.operations: list[Operation] = []
        self._log = log
        self._link_to = link_to
        self._links = ThreadPoolExecutor(MOST_CLIENTS, "link")
        self._writing = threading.Lock()
        self._clients = ThreadPoolExecutor(clients, "person")
        self._visits: list[Future[None]] = []
        self._stop = threading.Event()
        self._pace = threading.Thread(name="pace", target=lambda: None)

    def start(self, people: int, rate: float, address_of: Callable[[int], str] = address_of) -> None:
        self._pace = threading.Thread(name="pace", target=self._let_in, args=(people, rate, address_of), daemon=True)
        self._pace.start()

    def stop(self) -> None:
        """Start no more requests, without waiting for those in progress."""
        self._stop.set()
        self._clients.shutdown(wait=False, cancel_futures=True)
        self._links.shutdown(wait=False, cancel_futures=True)

    def wait(self) -> None:
        """Wait until all requests are answered. Raises what a client thread raised."""
        self._pace.join()
        self._clients.shutdown()
        self._links.shutdown()
        for visit in self._visits:
            visit.result()

    def count(self, result: Result) -> int:
        return sum(operation.result is result for operation in list(self.operations))

    def _let_in(self, people: int, rate: float, address_of: Callable[[int], str]) -> None:
        began = time.monotonic()
        for number in range(people):
            if self._stop.wait(max(0.0, began + number / rate - time.monotonic())):
                return
            self._visits.append(self._clients.submit(self._visit, number, address_of(number)))

    def _visit(self, number: int, address: str) -> None:
        person = SiteClient(self.site_url)
        with person.http:
            sign_up = person.sign_up_twice if _is_one_of(number, self.twice_every) else person.sign_up
            done = self._ask("welcome", address, sign_up)
            if (
                done
                and _is_one_of(number, self.reset_every)
                and self._ask("password-reset", address, person.ask_for_reset)
            ):
                self._follow(address)

    def _follow(self, address: str) -> None:
        if self._link_to:
            self._visits.append(self._links.submit(self._use_link, self._link_to, address))

    def _use_link(self, link_to: Callable[[str], str], address: str) -> None:
        link, person = link_to(address), SiteClient(self.site_url)
        if link:
            with person.http:
                self._ask("password-changed", address, lambda _: person.choose_password(link))

    def _ask(self, kind: str, address: str, ask: Callable[[str], Answer]) -> bool:
        began = time.monotonic()
        try:
            result, answer = Result.ACKNOWLEDGED, ask(address)
        except SavedTwiceError as error:
            result, answer = Result.SAVED_TWICE, error.answer
        except RejectedError as error:
            answer = error.answer
            result = Result.REJECTED if answer.status == requests.codes.unavailable else Result.UNEXPECTED
        except requests.RequestException:
            result, answer = Result.UNKNOWN, Answer(0, "", time.monotonic() - began, "")
        self._write(
            Operation(
                at=time.time(), kind=kind, address=address, result=result, status=answer.status, took_s=answer.took_s
            )
        )
        return result is Result.ACKNOWLEDGED

    def _write(self, operation: Operation) -> None:
        with self._writing, self._log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(asdict(operation)) + "\n")
            self.operations.append(operation)


def _is_one_of(number: int, every: int) -> bool:
    return every > 0 and number % every == 0
