"""Parse what an operator types into the search of a list of messages. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from notifications.rules.outcomes import Outcome
from notifications.rules.states import Status, Stream

# That long ago; or the beginning of a day; or a time, both on the reader's clock.
Moment = timedelta | date | datetime


class SearchProblem(StrEnum):
    """Why a text is not a search."""

    UNKNOWN_TERM = "unknown term"
    NO_VALUE = "no value"
    BAD_VALUE = "bad value"
    REPEATED = "repeated"
    SECOND_WORD = "second word"


class SearchError(ValueError):
    """The text is not a search. `value` is the part that is wrong."""

    def __init__(self, problem: SearchProblem, *, term: str = "", value: str = "") -> None:
        super().__init__(problem, term, value)
        self.problem, self.term, self.value = problem, term, value


@dataclass(frozen=True, kw_only=True)
class MessageQuery:
    """What to find: messages with all of this."""

    #: Without a term: an address or an idempotency key, or the beginning of one; or an id.
    word: str = ""
    #: An address or its beginning, in lower case.
    to: str = ""
    #: The message's id, or that of the provider.
    id: str = ""
    #: An idempotency key or its beginning.
    key: str = ""
    kind: str = ""
    status: str = ""
    stream: str = ""
    outcome: str = ""
    provider: str = ""
    #: The cause of a dead letter.
    error: str = ""
    #: Written at this time or later; written earlier.
    since: Moment | None = None
    before: Moment | None = None


# A space after the colon is a slip.
_LOOSE = re.compile(r"(?<!\S)([A-Za-z]+):\s+(?=\S)")
_TERM = re.compile(r"([A-Za-z]+):(.*)")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_AGO = re.compile(r"([0-9]{1,5})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_YEARS = range(1970, 9000)
_MOST_AGO = timedelta(days=36_500)


def parse(text: str) -> MessageQuery:
    """Parse the text of a search. Raises SearchError."""
    found: dict[str, Any] = {}
    for part in _LOOSE.sub(r"\1:", text).split():
        term, value = _read(part)
        if term in found:
            raise SearchError(
                SearchProblem.REPEATED if term != "word" else SearchProblem.SECOND_WORD, term=term, value=value
            )
        found[term] = TERMS[term](value) if term in TERMS else value
    return MessageQuery(**found)


def _read(part: str) -> tuple[str, str]:
    term = _TERM.fullmatch(part)
    if not term:
        return "word", part
    name, value = term[1].lower(), term[2]
    if name not in TERMS:
        raise SearchError(SearchProblem.UNKNOWN_TERM, term=term[1], value=part)
    if not value:
        raise SearchError(SearchProblem.NO_VALUE, term=name)
    return name, value


def _one_of(term: str, values: list[str]) -> Callable[[str], str]:
    def parsed(value: str) -> str:
        if value.lower() not in values:
            raise SearchError(SearchProblem.BAD_VALUE, term=term, value=value)
        return value.lower()

    return parsed


def _name(term: str) -> Callable[[str], str]:
    def parsed(value: str) -> str:
        if not _NAME.fullmatch(value.lower()):
            raise SearchError(SearchProblem.BAD_VALUE, term=term, value=value)
        return value.lower()

    return parsed


def _moment(term: str) -> Callable[[str], Moment]:
    def parsed(value: str) -> Moment:
        moment = _ago(value.lower()) or _on_the_calendar(value)
        if moment is None:
            raise SearchError(SearchProblem.BAD_VALUE, term=term, value=value)
        return moment

    return parsed


def _ago(value: str) -> timedelta | None:
    if not (found := _AGO.fullmatch(value)):
        return None
    ago = timedelta(**{_UNITS[found[2]]: int(found[1])})
    return ago if ago <= _MOST_AGO else None


def _on_the_calendar(value: str) -> date | None:
    for read in (date.fromisoformat, datetime.fromisoformat):
        try:
            found = read(value)
        except ValueError:
            continue
        return found if found.year in _YEARS else None
    return None


#: Each term, and what reads its value.
TERMS: Mapping[str, Callable[[str], Any]] = {
    "to": str.lower,
    "id": str,
    "key": str,
    "kind": _name("kind"),
    "status": _one_of("status", Status.values),
    "stream": _one_of("stream", Stream.values),
    "outcome": _one_of("outcome", Outcome.values),
    "provider": _name("provider"),
    "error": str,
    "since": _moment("since"),
    "before": _moment("before"),
}
