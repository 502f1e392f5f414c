"""Interpret the answer of a provider's HTTP API with a table. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from notifications.providers.base.answers.meaning import (
    MESSAGE_REFUSED,
    OUTAGE,
    REFUSES_US,
    THROTTLED,
    UNKNOWN,
    Meaning,
)
from notifications.providers.base.answers.words import worded

# The rows of a provider are in `answers.py` of its folder. An answer in the provider's documented error shape proves
# that nothing was sent. In another shape, a status of 500 or more may come from a gateway after the provider has
# accepted, and 400 is too vague. The other statuses from 400 on mean in HTTP that the request was not carried out.


@dataclass(frozen=True, kw_only=True)
class RawAnswer:
    """The parts of an answer.

    `code` is the provider's, "" if the answer lacks the documented shape. `field` is the part of the request that the
    answer names.
    """

    status: int
    code: str = ""
    text: str = ""
    field: str = ""

    @property
    def has_shape(self) -> bool:
        return bool(self.code)


@dataclass(frozen=True, kw_only=True)
class AnswerRow:
    """A row of a provider's table. The first that matches decides. Empty: any value."""

    meaning: Meaning
    codes: frozenset[str] = frozenset()
    statuses: frozenset[int] = frozenset()
    text: str = ""
    field: str = ""
    # The attempt's error code, if not the code or status of the answer.
    name: str = ""

    def matches(self, answer: RawAnswer) -> bool:
        return (
            (not self.codes or _short(answer.code) in map(_short, self.codes))
            and (not self.statuses or answer.status in self.statuses)
            and _has(self.text, worded(answer.text))
            and _has(self.field, answer.field)
        )


def _short(code: str) -> str:
    # The older of AWS' two protocols uses the short form.
    return code.removesuffix("Exception")


def _has(pattern: str, text: str) -> bool:
    return not pattern or re.search(pattern, text, re.IGNORECASE) is not None


def row(meaning: Meaning, *codes: str, **more: str) -> AnswerRow:
    return AnswerRow(meaning=meaning, codes=frozenset(codes), **more)  # type: ignore[arg-type]


def status(meaning: Meaning, *statuses: int, **more: str) -> AnswerRow:
    return AnswerRow(meaning=meaning, statuses=frozenset(statuses), **more)  # type: ignore[arg-type]


# For answers that match no row of the provider: with the documented shape, and without.
SHAPED = (
    status(REFUSES_US, 401, 402, 403, 404, 405),
    status(OUTAGE, 408),
    status(THROTTLED, 429),
    AnswerRow(meaning=MESSAGE_REFUSED, statuses=frozenset(range(401, 500))),
    AnswerRow(meaning=OUTAGE, statuses=frozenset(range(500, 600))),
)
SHAPELESS = (
    status(REFUSES_US, 401, 403, 404, 405),
    status(MESSAGE_REFUSED, 413),
    status(THROTTLED, 429),
)
# An API does not redirect.
REDIRECT = AnswerRow(meaning=REFUSES_US, statuses=frozenset(range(300, 400)))


def read_answer(rows: Iterable[AnswerRow], answer: RawAnswer) -> tuple[Meaning, str]:
    """Interpret a rejection with a provider's `rows`; return its meaning and the row's name."""
    found = _first((REDIRECT,), answer) or _first(rows, answer)
    found = found or _first(SHAPED if answer.has_shape else SHAPELESS, answer)
    return (found.meaning, found.name) if found else (UNKNOWN, "")


def _first(rows: Iterable[AnswerRow], answer: RawAnswer) -> AnswerRow | None:
    return next((one for one in rows if one.matches(answer)), None)
