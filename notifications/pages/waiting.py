"""Decide what a user who waits for an email sees, and when it is refreshed. Pure."""

from notifications.rules.progress import Progress

# The page refreshes often for a minute, and stops after ten.
FRESH_S, STALE_S = 60, 600
QUICK_S, STEADY_S, SLOW_S = 0.5, 2.0, 10.0
#: The minimum time between two emails.
PAUSE_S = 60
# In other states the page waits for a provider's recovery or for the user.
_PAUSES_S = {Progress.WAITING: QUICK_S, Progress.SENT: STEADY_S}
# The current step of the three. Other states have a text instead.
_CURRENT_STEP = {
    **dict.fromkeys((Progress.WAITING, Progress.DELAYED, Progress.UNCLEAR), 1),
    **dict.fromkeys((Progress.SENT, Progress.DEFERRED, Progress.UNREPORTED), 2),
    Progress.DELIVERED: 3,
}
NEEDS_ANOTHER_ADDRESS = {Progress.REFUSED, Progress.UNSENDABLE}
# The message may still be sent, or may have been: a resend could arrive twice.
_OPEN = {Progress.WAITING, Progress.DELAYED, Progress.UNCLEAR}


def refresh_after_s(progress: Progress, age_s: float) -> float:
    # 0: it refreshes no more.
    if age_s > STALE_S:
        return 0.0
    return SLOW_S if age_s > FRESH_S else _PAUSES_S.get(progress, SLOW_S)


def steps_at(progress: Progress) -> list[tuple[str, str]]:
    # Each is `done`, `now` or `open`; none is `now` if no further report is expected.
    at = _CURRENT_STEP.get(progress, 1)
    now = "open" if progress is Progress.UNREPORTED else "now"
    names = ("written", "sent", "delivered")
    return [(name, "done" if number < at else now if number == at else "open") for number, name in enumerate(names)]


def can_be_resent(progress: Progress) -> bool:
    return progress not in _OPEN | NEEDS_ANOTHER_ADDRESS
