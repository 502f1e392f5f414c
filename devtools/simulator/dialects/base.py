"""The interface of a dialect: a provider's requests and answers."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import responses
from typing import Any, ClassVar

from devtools.simulator.journal import Entry

# These come from a gateway in front of the provider, not in the provider's format.
GATEWAYS = {HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Answer:
    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


# For each recipient of a call the accepted email, or the refusal of this one alone.
Results = Sequence[Entry | Answer]


class RefusedError(Exception):
    """The provider refuses the request; carries its answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Dialect(ABC):
    """Pure: bytes in, entries or a refusal out."""

    name: str
    max_body: ClassVar[int]
    # True if the answer to a batch has a result for each recipient; else one bad recipient refuses the whole call.
    answers_each: ClassVar[bool] = False

    @abstractmethod
    def authorize(self, headers: Mapping[str, str]) -> None:
        """Check that there are any credentials. Raises RefusedError."""

    @abstractmethod
    def read(self, body: bytes, headers: Mapping[str, str]) -> Results:
        """Return one entry per recipient. Raises RefusedError."""

    @abstractmethod
    def accepted(self, results: Results) -> Answer:
        """Return the provider's acceptance. Only with `answers_each` there are refusals among the results."""

    @abstractmethod
    def error(self, status: int, text: str = "", *, retry_after_s: int = 0) -> Answer:
        """Return the provider's refusal, by default with the usual text for this status."""

    @abstractmethod
    def suspended(self) -> Answer:
        """Return the refusal for an account that may not send."""

    @abstractmethod
    def invalid(self, address: str, place: int) -> Answer:
        """Return the refusal for an address that the provider considers invalid, the one at `place` of the call."""

    def inactive(self, address: str) -> Answer | None:
        """Return the refusal for a suppressed address, or None if the provider accepts it."""
        return None


def gateway(status: int) -> Answer:
    phrase = responses[status]
    page = f"<html><head><title>{status} {phrase}</title></head><body><h1>{phrase}</h1></body></html>"
    return Answer(status, page, {"Content-Type": "text/html"})


def usual(texts: Mapping[int, str], status: int) -> str:
    return texts.get(status) or responses.get(status, "Unknown error")


def named(person: Mapping[str, Any]) -> str:
    name = person.get("name")
    return f"{name} <{person['email']}>" if name else str(person["email"])
