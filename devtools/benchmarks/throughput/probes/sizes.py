"""How much the probes measure with."""

from dataclasses import dataclass

MILLION = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """`bulk`: messages that are queued before `critical` urgent ones. `idle_s`: how long the idle stack is measured.

    `base`, `queued` and `history`: messages of the small and the large backlog, and finished ones in the table.
    """

    bulk: int
    critical: int
    base: int
    queued: int
    history: int
    idle_s: float


WHOLE = Sizes(bulk=100_000, critical=150, base=10_000, queued=MILLION, history=10 * MILLION, idle_s=60.0)
QUICK = Sizes(bulk=30_000, critical=50, base=2_000, queued=50_000, history=200_000, idle_s=15.0)
