"""Decide, just before sending, whether a message is still relevant. Pure."""

from dataclasses import dataclass

from notifications.rules.shadow import COMPARED
from notifications.rules.states import Event

# The name of kinds.UnknownKindError.
UNKNOWN_KIND = "UnknownKindError"
ERASED = "it was anonymized: the recipient's address is erased"
NO_ACCOUNT = "there is no account with this address"
ACCOUNT_CLOSED = "the account is closed"
ADDRESS_CHANGED = "the address is no longer the account's"
SUPERSEDED = "a newer message of its kind was requested"
NOT_NEEDED = "it is no longer relevant to the user"
FLOODED = "the address got too many messages of its kind within an hour"
TOO_LATE = "it expired before it could be sent"
NOT_IN_ONLY_TO = "not sent: the recipient is not in ONLY_TO"
SUPPRESSED = "the address is suppressed: {reason}"
KIND_RAISED = "its kind raised {error}"
KIND_UNKNOWN = "this worker has no such kind; restart it after deploying"
CANNOT_BE_RENDERED = "it cannot be rendered: {error}"
RECHECKED_BY_ANOTHER = "another message is testing whether the address accepts email"
WAITS_FOR_WORKER = "waits for a worker of another version: {cause}"
TOO_LATE_FOR_WORKER = "it expired before a worker could send it: {cause}"


@dataclass(frozen=True, kw_only=True)
class Facts:
    # The recipient is erased.
    anonymized: bool = False
    expired: bool = False
    # Its kind requires an account, and there is none, or no longer.
    user_gone: bool = False
    user_inactive: bool = False
    address_changed: bool = False
    superseded: bool = False
    # The address has reached the hourly limit of this kind.
    flooded: bool = False
    # The staging guard lets no email to the address through.
    withheld: bool = False
    # Why the address gets no such email; empty if it does.
    suppressed: str = ""
    # It may only be sent as the one message that tests whether the address accepts email again.
    is_recheck: bool = False
    is_relevant: bool = True
    # A copy of an email that another backend has sent.
    is_copy: bool = False
    # The name of the error that the kind raised, and whether another version of the code may not raise it.
    broken: str = ""
    may_fit_elsewhere: bool = False
    # Seconds since it was enqueued, or scheduled for, on the database's clock.
    age_s: float = 0.0


@dataclass(frozen=True)
class Skip:
    """Why a message is not sent.

    `fingerprint`: the same for all failures of one cause. With Event.RELEASED, the message waits for a worker of
    another version.
    """

    event: Event
    reason: str
    fingerprint: str = ""


def skip_reason(facts: Facts) -> Skip | None:
    # The most specific reason comes first.
    if facts.anonymized:
        return Skip(Event.CANCELLED, ERASED)
    if facts.broken:
        return _broken(facts)
    checks = (
        (facts.user_gone, Event.CANCELLED, NO_ACCOUNT),
        (facts.user_inactive, Event.CANCELLED, ACCOUNT_CLOSED),
        (facts.address_changed, Event.CANCELLED, ADDRESS_CHANGED),
        (facts.superseded, Event.CANCELLED, SUPERSEDED),
        (not facts.is_relevant, Event.CANCELLED, NOT_NEEDED),
        (facts.withheld, Event.CANCELLED, NOT_IN_ONLY_TO),
        (facts.suppressed, Event.ADDRESS_SUPPRESSED, SUPPRESSED),
        (facts.flooded, Event.CANCELLED, FLOODED),
        (facts.expired, Event.EXPIRED, TOO_LATE),
        # Last, so that a copy ends as the email would.
        (facts.is_copy, Event.CANCELLED, COMPARED),
    )
    return next(
        (Skip(event, reason.format(reason=facts.suppressed)) for applies, event, reason in checks if applies), None
    )


def _broken(facts: Facts) -> Skip:
    cause = KIND_UNKNOWN if facts.broken == UNKNOWN_KIND else KIND_RAISED.format(error=facts.broken)
    return misfit(cause, f"kind/{facts.broken}", may_fit_elsewhere=facts.may_fit_elsewhere, has_time=not facts.expired)


def misfit(cause: str, fingerprint: str, *, may_fit_elsewhere: bool, has_time: bool) -> Skip:
    if not may_fit_elsewhere:
        return Skip(Event.FAILED, cause, fingerprint)
    if not has_time:
        return Skip(Event.EXPIRED, TOO_LATE_FOR_WORKER.format(cause=cause))
    return Skip(Event.RELEASED, WAITS_FOR_WORKER.format(cause=cause), fingerprint)
