"""People sign up at a steady rate, some reset their password, some click twice; they log what they are told."""

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
from devtools.stack.site_client import Answer, Person, SavedTwiceError, TurnedAwayError

# So many people are at the site at the same time at most; whoever comes then waits in front of it.
HANDS = 32
# Every so many people one has forgotten the password, and one clicks twice on "Sign up".
RESET_EVERY = 3
TWICE_EVERY = 4


class Word(StrEnum):
    DONE = "done"
    REFUSED = "refused"  # a clean 503: come again later
    UNKNOWN = "unknown"  # no answer: nothing was promised, and mail may come
    UNCLEAN = "unclean"  # any other answer; no fault may bring one
    TWICE = "twice"  # both posts of a link that works once were answered with success


@dataclass(frozen=True, kw_only=True)
class Said:
    """What one person was told of one mail, when (seconds since 1970), and how long that took."""

    at: float
    kind: str
    address: str
    word: Word
    status: int
    took_s: float

    @property
    def fact(self) -> Fact:
        return self.kind, self.address


def address_of(number: int) -> str:
    return f"person{number}@example.com"


class Load:
    """`said` is the clients' own log, kept in a file too, line by line.

    `link_to` waits for the reset link that an address is sent and returns it, or an empty text; without it no
    person follows a link.
    """

    def __init__(self, site_url: str, log: Path, link_to: Callable[[str], str] | None = None) -> None:
        self.site_url = site_url
        self.said: list[Said] = []
        self._log = log
        self._link_to = link_to
        self._links = ThreadPoolExecutor(HANDS, "link")
        self._writing = threading.Lock()
        self._hands = ThreadPoolExecutor(HANDS, "person")
        self._visits: list[Future[None]] = []
        self._stop = threading.Event()
        self._pace = threading.Thread(name="pace", target=lambda: None)

    def start(self, people: int, rate: float, address_of: Callable[[int], str] = address_of) -> None:
        """Let so many people come, so many a second."""
        self._pace = threading.Thread(name="pace", target=self._let_in, args=(people, rate, address_of), daemon=True)
        self._pace.start()

    def stop(self) -> None:
        """Let nobody in any more and wait for none of those who are in."""
        self._stop.set()
        self._hands.shutdown(wait=False, cancel_futures=True)
        self._links.shutdown(wait=False, cancel_futures=True)

    def wait(self) -> None:
        """Return when everybody has been there. Raises what kept a person from writing down what was said."""
        self._pace.join()
        self._hands.shutdown()
        self._links.shutdown()
        for visit in self._visits:
            visit.result()

    def count(self, word: Word) -> int:
        return sum(said.word is word for said in list(self.said))

    def _let_in(self, people: int, rate: float, address_of: Callable[[int], str]) -> None:
        began = time.monotonic()
        for number in range(people):
            if self._stop.wait(max(0.0, began + number / rate - time.monotonic())):
                return
            self._visits.append(self._hands.submit(self._visit, number, address_of(number)))

    def _visit(self, number: int, address: str) -> None:
        person = Person(self.site_url)
        with person.http:
            sign_up = person.sign_up_twice if number % TWICE_EVERY == 0 else person.sign_up
            done = self._ask("welcome", address, sign_up)
            if done and number % RESET_EVERY == 0 and self._ask("password-reset", address, person.ask_for_reset):
                self._follow(address)

    def _follow(self, address: str) -> None:
        if self._link_to:
            self._visits.append(self._links.submit(self._use_link, self._link_to, address))

    def _use_link(self, link_to: Callable[[str], str], address: str) -> None:
        """Post a reset link's form from two windows at the same time, with two passwords: only one may be saved."""
        link, person = link_to(address), Person(self.site_url)
        if link:
            with person.http:
                self._ask("password-changed", address, lambda _: person.choose_password(link))

    def _ask(self, kind: str, address: str, ask: Callable[[str], Answer]) -> bool:
        began = time.monotonic()
        try:
            word, answer = Word.DONE, ask(address)
        except SavedTwiceError as error:
            word, answer = Word.TWICE, error.answer
        except TurnedAwayError as error:
            answer = error.answer
            word = Word.REFUSED if answer.status == requests.codes.unavailable else Word.UNCLEAN
        except requests.RequestException:
            word, answer = Word.UNKNOWN, Answer(0, "", time.monotonic() - began, "")
        self._write(
            Said(at=time.time(), kind=kind, address=address, word=word, status=answer.status, took_s=answer.took_s)
        )
        return word is Word.DONE

    def _write(self, said: Said) -> None:
        with self._writing, self._log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(asdict(said)) + "\n")
            self.said.append(said)
