"""Decide what the page of a sign-up shows, and when it refreshes. Pure, except for the clock."""

from dataclasses import dataclass

from accounts.flows.sign_up_cookie import PendingSignUp
from notifications import Progress

# A person looks at the page for the first minute; after ten it no longer updates, and says so.
FRESH_S = 60
STALE_S = 600
QUICK_MS, STEADY_MS, SLOW_MS = 500, 2_000, 10_000
# Where an email is: queued, sent, delivered. The others are told in a sentence.
_STATION = {
    **dict.fromkeys((Progress.WAITING, Progress.DELAYED, Progress.UNCLEAR), 1),
    **dict.fromkeys((Progress.SENT, Progress.DEFERRED, Progress.UNREPORTED), 2),
    Progress.DELIVERED: 3,
}
_PAUSE_MS = {Progress.WAITING: QUICK_MS, Progress.SENT: STEADY_MS}


@dataclass(frozen=True)
class SignUpProgress:
    pending: PendingSignUp
    progress: Progress
    confirmed: bool = False

    @property
    def pause_ms(self) -> int:
        """Return the milliseconds until the next refresh; 0 for none."""
        if self.confirmed or self.pending.age_s > STALE_S:
            return 0
        if self.pending.age_s > FRESH_S:
            return SLOW_MS
        # Otherwise what is missing is a provider that comes back, or the person's own click.
        return _PAUSE_MS.get(self.progress, SLOW_MS)

    @property
    def has_stopped(self) -> bool:
        return not self.confirmed and not self.pause_ms

    @property
    def needs_another_address(self) -> bool:
        return self.progress in {Progress.REFUSED, Progress.UNSENDABLE}

    @property
    def version(self) -> str:
        # A new version means a new page.
        return f"{self.progress}-{self.confirmed:d}-{self.pause_ms}"

    @property
    def steps(self) -> list[tuple[str, str]]:
        # Three stations, each `done`, `now` or `open`; none is `now` if nothing more is expected.
        at = _STATION.get(self.progress, 1)
        now = "open" if self.progress is Progress.UNREPORTED else "now"
        names = ("written", "sent", "delivered")
        return [(name, "done" if number < at else now if number == at else "open") for number, name in enumerate(names)]
