"""Parse settings from text, and check values of Django's settings by the same limits. Pure."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")
N = TypeVar("N", int, float)

# Larger than any count or time here; libraries keep such numbers in 32 bits.
MOST = 1_000_000_000
TRUE = {"1", "true", "yes", "y", "on"}
FALSE = {"0", "false", "no", "n", "off"}
IN_DIGITS = "a number written in digits"


class NotReadableError(ValueError):
    """A value has the wrong type. The text names the right one."""


@dataclass(frozen=True, kw_only=True)
class Parser(Generic[T]):
    #: Returns the value of a text. Raises ValueError.
    parse: Callable[[str], T]
    #: Returns a value of Django's settings unchanged. Raises ValueError.
    accept: Callable[[Any], T]
    #: True if an empty variable is an empty value and not the default.
    takes_empty: bool = False


def text_parser() -> Parser[str]:
    return Parser(parse=str, accept=_text, takes_empty=True)


def filled_parser() -> Parser[str]:
    # An empty variable means the default.
    return Parser(parse=str, accept=_text)


def list_parser() -> Parser[list[str]]:
    return Parser(parse=split_list, accept=_items, takes_empty=True)


def whole_parser(least: int = 0, most: int = MOST) -> Parser[int]:
    return Parser(parse=lambda text: _within(int(text), least, most), accept=lambda value: _whole(value, least, most))


def number_parser(least: float = 0, most: float = MOST) -> Parser[float]:
    return Parser(
        parse=lambda text: _within(_finite(text), least, most), accept=lambda value: _number(value, least, most)
    )


def flag_parser() -> Parser[bool]:
    return Parser(parse=_truth, accept=_flag)


def choice_parser(allowed: Iterable[str]) -> Parser[str]:
    names = {name.lower(): name for name in allowed}

    def one_of(text: str) -> str:
        if text.strip().lower() not in names:
            raise NotReadableError(f"one of {', '.join(names.values())}")
        return names[text.strip().lower()]

    return Parser(parse=one_of, accept=lambda value: one_of(_text(value)))


def split_list(text: str) -> list[str]:
    # Commas separate items; in a value of several lines, line breaks do.
    lines = text.splitlines()
    parts = lines if len(lines) > 1 else text.split(",")
    return [part.strip() for part in parts if part.strip()]


def _within(number: N, least: float, most: float) -> N:
    if not least <= number <= most:
        range_ = f"to {most:g}" if most < MOST else "to a billion"
        raise NotReadableError(f"a number from {least:g} {range_}")
    return number


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotReadableError("a finite number")
    return number


def _truth(text: str) -> bool:
    word = text.strip().lower()
    if word not in TRUE | FALSE:
        raise NotReadableError("1 or 0")
    return word in TRUE


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise NotReadableError("a text")
    return value


def _items(value: Any) -> list[str]:
    if isinstance(value, str) or not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise NotReadableError("a list of texts")
    return [*value]


def _whole(value: Any, least: float, most: float) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise NotReadableError("a whole number")
    return int(_within(value, least, most))


def _number(value: Any, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise NotReadableError("a finite number")
    return _within(float(value), least, most)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise NotReadableError("True or False")
    return value
