"""Fill in an email that was rendered once, with slots for what differs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from notifications.delivery.engine import EmailTexts, subject_line
from notifications.delivery.prepared.fields import FIELD_TYPES
from notifications.delivery.prepared.html import Form, written
from notifications.delivery.prepared.tracing import Data, StandIn, printed_text

# The blank lines, white space and structure around such a value do not depend on it: it starts and ends with a visible
# character, and HTML keeps each of its characters.
_ORDINARY = re.compile(r"(?!\s)[^\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]+(?<!\s)")
# Not HTML, which must not be escaped.
PRINTABLE = FIELD_TYPES | {bool, type(None)}


class Slot(NamedTuple):
    """A place for the value of that number."""

    value: int
    form: Form


Part = Sequence[str | Slot]


@dataclass(frozen=True)
class PreparedEmail:
    """The parts of an email, the values of its slots, and its conditions."""

    subject: Part
    text: Part
    html: Part
    values: tuple[StandIn, ...]
    conditions: tuple[tuple[StandIn, bool], ...]

    def covers(self, data: Data) -> bool:
        """Return whether the templates would take the same way for `data`."""
        try:
            return all(bool(tested.evaluate(data)) is is_true for tested, is_true in self.conditions)
        except Exception:  # noqa: BLE001 - the usual rendering reports what a filter raises
            return False

    def values_of(self, data: Data) -> list[str] | None:
        """Return the values as text, or None if one of them needs the usual rendering."""
        try:
            values = [_as_text(value.evaluate(data)) for value in self.values]
        except Exception:  # noqa: BLE001 - the usual rendering reports what a filter raises
            return None
        ordinary = [value for value in values if value is not None]
        return ordinary if len(ordinary) == len(values) else None

    def content(self, data: Data) -> EmailTexts | None:
        values = self.values_of(data)
        if values is None:
            return None
        subject, text, html = (fill(part, values) for part in (self.subject, self.text, self.html))
        return EmailTexts(subject_line(subject), text, html)

    def slots(self) -> Iterator[Slot]:
        # Each once.
        yield from dict.fromkeys(each for part in (self.text, self.html) for each in part if isinstance(each, Slot))


def fill(part: Part, values: Sequence[str], tokens: Mapping[Slot, str] | None = None) -> str:
    """Return a part with its values, or with tokens where `tokens` has one."""
    tokens = tokens or {}
    return "".join(
        piece if isinstance(piece, str) else tokens.get(piece) or written(values[piece.value], piece.form)
        for piece in part
    )


def _as_text(value: Any) -> str | None:
    if type(value) not in PRINTABLE:
        return None
    text = value if type(value) is str else printed_text(value)
    return text if _ORDINARY.fullmatch(text) and "\n\n\n" not in text else None
