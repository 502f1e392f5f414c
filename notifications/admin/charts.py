"""Bar charts: numbers in, the geometry of an SVG out. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

# In the units of the SVG, which the page stretches to the width that it has. Whole numbers only: templates would write
# fractions in the reader's language.
STEP, GAP, HEIGHT = 10, 2, 100
# A bar of one among thousands is still visible.
LEAST = 2


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One value; `label` says what it is of."""

    x: int
    y: int
    height: int
    label: str
    value: int
    width: int = STEP - GAP


@dataclass(frozen=True, kw_only=True)
class Chart:
    """`top` is the value of the upper edge."""

    bars: Sequence[Bar]
    width: int
    top: int
    total: int
    height: int = HEIGHT


def chart(values: Sequence[tuple[str, int]]) -> Chart:
    top = round_up(max((value for _, value in values), default=0))
    return Chart(
        bars=[_bar(place, label, value, top) for place, (label, value) in enumerate(values)],
        width=STEP * len(values),
        top=top,
        total=sum(value for _, value in values),
    )


def round_up(value: int) -> int:
    """Return the next of 1, 2, 5, 10, 20, 50 …"""
    power: int = 10 ** (len(str(value)) - 1)
    return next(top for top in (power, 2 * power, 5 * power, 10 * power) if top >= value)


def _bar(place: int, label: str, value: int, top: int) -> Bar:
    height = max(LEAST, round(HEIGHT * value / top)) if value else 0
    return Bar(x=STEP * place + GAP // 2, y=HEIGHT - height, height=height, label=label, value=value)
