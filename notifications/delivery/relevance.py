"""Decide, just before sending, whether a message is still relevant. Pure."""

from dataclasses import dataclass

from notifications.rules.states import Event

# The name of kinds.UnknownKindError.
UNKNOWN_KIND = "UnknownKindError"
ERASED = "it was anonymized: the recipient's address is erased"
NO_ACCOUNT = "there is no account with this address"
ACCOUNT_CLOSED = "the account is closed"
ADDRESS_CHANGED = "the address is no longer the account's"
SUPERSEDED = "a newer one of its kind was asked for"
NOT_NEEDED = "no longer needed"
FLOODED = "the address has been sent too many of its kind within an hour"
TOO_LATE = "its time was over before it could be sent"
SUPPRESSED = "the address is suppressed: {reason}"


@dataclass(frozen=True, kw_only=True)
class Facts:
    # The recipient is erased.
    anonymized: bool = False
    expired: bool = False
    # It needs an account, and there is none: never was, or no longer.
    user_gone: bool = False
    user_inactive: bool = False
    address_changed: bool = False
    superseded: bool = False
    # The address has been sent as many of this kind as it may be within an hour.
    flooded: bool = False
    # Why the address gets no such mail; empty if it does.
    suppressed: str = ""
    # It may only go if it is the one message that sees whether the address takes mail again.
    is_recheck: bool = False
    is_relevant: bool = True
    # The name of what the kind raised when it was asked, and whether another version of the code may not raise it.
    broken: str = ""
    may_fit_elsewhere: bool = False
    # Seconds since it was written, by the database's clock.
    age_s: float = 0.0


@dataclass(frozen=True)
class Skip:
    """Why a message is not sent.

    `fingerprint`: the same for all failures of one cause. With Event.RELEASED only this worker does not send it; the
    message waits for one that can.
    """

    event: Event
    reason: str
    fingerprint: str = ""


def skip_reason(facts: Facts) -> Skip | None:
    # The most telling reason comes first.
    checks = (
        (facts.anonymized, Skip(Event.CANCELLED, ERASED)),
        (bool(facts.broken), _broken(facts)),
        (facts.user_gone, Skip(Event.CANCELLED, NO_ACCOUNT)),
        (facts.user_inactive, Skip(Event.CANCELLED, ACCOUNT_CLOSED)),
        (facts.address_changed, Skip(Event.CANCELLED, ADDRESS_CHANGED)),
        (facts.superseded, Skip(Event.CANCELLED, SUPERSEDED)),
        (not facts.is_relevant, Skip(Event.CANCELLED, NOT_NEEDED)),
        (bool(facts.suppressed), Skip(Event.ADDRESS_SUPPRESSED, SUPPRESSED.format(reason=facts.suppressed))),
        (facts.flooded, Skip(Event.CANCELLED, FLOODED)),
        (facts.expired, Skip(Event.EXPIRED, TOO_LATE)),
    )
    return next((skip for applies, skip in checks if applies), None)


def _broken(facts: Facts) -> Skip:
    cause = f"its kind raised {facts.broken}"
    if facts.broken == UNKNOWN_KIND:
        cause = "this worker does not know its kind"
    return misfit(cause, f"kind/{facts.broken}", may_fit_elsewhere=facts.may_fit_elsewhere, has_time=not facts.expired)


def misfit(cause: str, fingerprint: str, *, may_fit_elsewhere: bool, has_time: bool = True) -> Skip:
    if not may_fit_elsewhere:
        return Skip(Event.FAILED, cause, fingerprint)
    if not has_time:
        return Skip(Event.EXPIRED, f"its time was over before a worker could send it: {cause}")
    return Skip(Event.RELEASED, f"waits for a worker that fits: {cause}", fingerprint)
