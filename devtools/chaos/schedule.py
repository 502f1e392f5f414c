"""Schedule the faults. Pure: the same seed and length give the same schedule."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from devtools.chaos.faults import BY_NAME, Fault

# The workload first runs this long without faults.
LEAD_S = 2.0
# The share by which lengths and pauses vary, so that no two runs hit the same moments.
VARIES = 0.1

# About 68 s of workload for CI: name and start. Faults that make messages uncertain are so far apart that the messages
# are settled in between.
SHORT = (
    ("reports lost, half of the answers cut", 2.0),
    ("ses answers 429", 6.0),
    ("broker wiped", 10.0),
    ("worker-main frozen past its lease", 12.5),
    ("broker frozen", 31.5),
    ("worker-main killed", 36.5),
    ("both down", 40.0),
    ("database restarted", 45.5),
    ("relay killed", 50.0),
    ("worker without the newest kind", 52.0),
    ("ses accepts, then answers 500", 64.0),
)
SHORT_S = 68.0


@dataclass(frozen=True, kw_only=True)
class ScheduledFault:
    """A fault with its time, in seconds from the start of the workload. `length_s` counts from the full injection."""

    fault: Fault
    start_s: float
    length_s: float

    @property
    def end_s(self) -> float:
        return self.start_s + self.fault.apart_s + self.length_s

    @property
    def over_s(self) -> float:
        """When its effects should be over."""
        return self.end_s + self.fault.quiet_s


def plan(seed: int, duration_s: float, faults: Sequence[Fault]) -> list[ScheduledFault]:
    """Schedule as many faults as fit, one after another. Each comes once before any comes twice."""
    dice = random.Random(seed)  # noqa: S311 - reproducible, guards nothing
    schedule: list[ScheduledFault] = []
    free_s = LEAD_S
    while True:
        before = len(schedule)
        for fault in _shuffled(dice, faults):
            planned = ScheduledFault(fault=fault, start_s=free_s, length_s=fault.lasts_s * (1 + VARIES * dice.random()))
            if planned.over_s <= duration_s:
                schedule.append(planned)
                free_s = planned.over_s + fault.quiet_s * VARIES * dice.random()
        if len(schedule) == before or len(schedule) < len(faults):
            return schedule


def plan_short(seed: int) -> list[ScheduledFault]:
    """Schedule the fixed selection, with starts that vary by less than half a second."""
    dice = random.Random(seed)  # noqa: S311 - as above
    return [
        ScheduledFault(fault=BY_NAME[name], start_s=start_s + dice.random() * 0.4, length_s=BY_NAME[name].lasts_s)
        for name, start_s in SHORT
    ]


def needed_s(faults: Sequence[Fault]) -> float:
    """Return a length into which all faults fit with any seed."""
    return LEAD_S + sum(fault.apart_s + (fault.lasts_s + fault.quiet_s) * (1 + VARIES) for fault in faults)


def left_out(schedule: Sequence[ScheduledFault], faults: Sequence[Fault]) -> Iterator[Fault]:
    done = {planned.fault.name for planned in schedule}
    return (fault for fault in faults if fault.name not in done)


def _shuffled(dice: random.Random, faults: Sequence[Fault]) -> list[Fault]:
    return dice.sample(faults, len(faults))
