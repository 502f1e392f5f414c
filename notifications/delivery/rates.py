"""How the rates are written down in the settings. Pure."""

from collections.abc import Collection


class BadRateError(ValueError):
    """A rate setting that cannot be read; the text says what is wrong with it."""


def parse(text: str, names: Collection[str]) -> dict[str, float]:
    """Return messages per second by name from "10" (all of `names`) or "ses=10,sendgrid=50". Raises BadRateError."""
    if not text.strip():
        return {}
    if "=" not in text:
        return dict.fromkeys(names, _rate(text))
    rates = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        if name.strip() not in names:
            raise BadRateError(f"{name.strip()!r} is none of {', '.join(sorted(names))}")
        rates[name.strip()] = _rate(value)
    return rates


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        raise BadRateError(f"{text.strip()!r} is not a number of messages per second") from None
    if not 0 < rate <= 10_000:  # noqa: PLR2004 - GCRA counts in microseconds; beyond this a token has no length left
        raise BadRateError(f"{text.strip()} messages per second: it must be above 0 and at most 10000")
    return rate
