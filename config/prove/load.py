"""People sign up at a steady rate, some ask for a new password at once; and their own log of what they were told."""

import json
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

import requests

from config.local.facts import Fact
from config.local.person import Answer, Person, TurnedAwayError

# So many people are at the site at the same time at most; whoever comes then waits in front of it.
HANDS = 32
# Every so many people one has forgotten the password.
RESET_EVERY = 3


class Word(StrEnum):
    DONE = "done"
    REFUSED = "refused"  # a clean 503: come again later
    UNKNOWN = "unknown"  # no answer: nothing was promised, and mail may come
    UNCLEAN = "unclean"  # any other answer; no fault may bring one


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


class Load:
    """`said` is the clients' own log, kept in a file too, line by line."""

    def __init__(self, site_url: str, log: Path) -> None:
        self.site_url = site_url
        self.said: list[Said] = []
        self._log = log
        self._writing = threading.Lock()
        self._hands = ThreadPoolExecutor(HANDS, "person")
        self._visits: list[Future[None]] = []
        self._stop = threading.Event()
        self._pace = threading.Thread(name="pace", target=lambda: None)

    def start(self, people: int, rate: float) -> None:
        """Let so many people come, so many a second."""
        self._pace = threading.Thread(name="pace", target=self._let_in, args=(people, rate), daemon=True)
        self._pace.start()

    def stop(self) -> None:
        """Let nobody in any more and wait for none of those who are in."""
        self._stop.set()
        self._hands.shutdown(wait=False, cancel_futures=True)

    def wait(self) -> None:
        """Return when everybody has been there. Raises what kept a person from writing down what was said."""
        self._pace.join()
        self._hands.shutdown()
        for visit in self._visits:
            visit.result()

    def count(self, word: Word) -> int:
        return sum(said.word is word for said in list(self.said))

    def _let_in(self, people: int, rate: float) -> None:
        began = time.monotonic()
        for number in range(people):
            if self._stop.wait(max(0.0, began + number / rate - time.monotonic())):
                return
            self._visits.append(self._hands.submit(self._visit, number))

    def _visit(self, number: int) -> None:
        person, address = Person(self.site_url), f"person{number}@example.com"
        with person.http:
            done = self._ask(person, "welcome", address)
            if done and number % RESET_EVERY == 0:
                self._ask(person, "password-reset", address)

    def _ask(self, person: Person, kind: str, address: str) -> bool:
        began = time.monotonic()
        ask = person.sign_up if kind == "welcome" else person.ask_for_reset
        try:
            word, answer = Word.DONE, ask(address)
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
