"""Decide what the page after a sign-up shows, and when it refreshes."""

from dataclasses import dataclass

from accounts.flows.sign_up_cookie import PendingSignUp
from notifications import Progress

# The page refreshes often for a minute, and stops after ten.
FRESH_S = 60
STALE_S = 600
QUICK_MS, STEADY_MS, SLOW_MS = 500, 2_000, 10_000
# The current step of the three: queued, sent, delivered. Other states have a text instead.
_CURRENT_STEP = {
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
        # In other states the page waits for a provider's recovery or for the user's click.
        return _PAUSE_MS.get(self.progress, SLOW_MS)

    @property
    def has_stopped(self) -> bool:
        return not self.confirmed and not self.pause_ms

    @property
    def needs_another_address(self) -> bool:
        return self.progress in {Progress.REFUSED, Progress.UNSENDABLE}

    @property
    def version(self) -> str:
        # Identifies the content of the page.
        return f"{self.progress}-{self.confirmed:d}-{self.pause_ms}"

    @property
    def steps(self) -> list[tuple[str, str]]:
        # Each is `done`, `now` or `open`; none is `now` if no further report is expected.
        at = _CURRENT_STEP.get(self.progress, 1)
        now = "open" if self.progress is Progress.UNREPORTED else "now"
        names = ("written", "sent", "delivered")
        return [(name, "done" if number < at else now if number == at else "open") for number, name in enumerate(names)]
