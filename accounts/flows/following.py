"""Following the mail of a sign-up: what its page shows now, and how soon it asks again. Pure, but for the clock."""

from dataclasses import dataclass

from accounts.flows.started import Started
from accounts.mails import Progress

# A person looks at the page for the first minute; after ten nobody does.
FRESH_S = 60
STALE_S = 600
QUICK_MS, STEADY_MS, SLOW_MS = 500, 2_000, 10_000
_UNDER_WAY = {Progress.WAITING, Progress.SENT}


@dataclass(frozen=True)
class Following:
    started: Started
    progress: Progress
    confirmed: bool = False

    @property
    def pause_ms(self) -> int:
        """How soon to look again; 0 for no more."""
        if self.confirmed or self.started.age_s > STALE_S:
            return 0
        if self.progress not in _UNDER_WAY:
            # What is still missing is the person's own click, maybe on another device.
            return SLOW_MS
        if self.started.age_s > FRESH_S:
            return SLOW_MS
        return QUICK_MS if self.progress is Progress.WAITING else STEADY_MS

    @property
    def version(self) -> str:
        """Another one is another picture."""
        return f"{self.progress}-{self.confirmed:d}-{self.pause_ms}"

    @property
    def steps(self) -> list[tuple[str, str]]:
        """The three stations, each `done`, `now` or `open`."""
        at = {Progress.WAITING: 1, Progress.SENT: 2, Progress.DELIVERED: 3}.get(self.progress, 1)
        names = ("written", "sent", "delivered")
        return [
            (name, "done" if number < at else "now" if number == at else "open") for number, name in enumerate(names)
        ]
