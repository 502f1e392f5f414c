"""Decide how far an email has come, for the user who waits for it. Pure."""

from enum import StrEnum

from notifications.rules.outcomes import Outcome
from notifications.rules.states import Status


class Progress(StrEnum):
    """How far an email has come, as shown to the user who waits for it."""

    WAITING = "waiting"
    DELAYED = "delayed"  # still waiting, longer than usual
    UNCLEAR = "unclear"  # a provider may have accepted it
    SENT = "sent"  # a provider accepted it
    DEFERRED = "deferred"  # the mailbox asks to try later
    UNREPORTED = "unreported"  # a provider accepted it; no report has come for long, or will come
    DELIVERED = "delivered"
    REFUSED = "refused"  # the mailbox rejects it: the user needs another address
    UNSENDABLE = "unsendable"  # the address is suppressed: the user needs another one
    FAILED = "failed"  # it was not sent and will not be


# Normally, email is sent within seconds and reported within about a minute.
USUAL_S = 30.0
REPORTED_S = 300.0

_PROGRESS = {
    Status.QUEUED: Progress.WAITING,
    Status.SENDING: Progress.WAITING,
    Status.UNCERTAIN: Progress.UNCLEAR,
    Status.SUPPRESSED: Progress.UNSENDABLE,
    Status.EXPIRED: Progress.FAILED,
    Status.CANCELLED: Progress.FAILED,
    Status.DEAD: Progress.FAILED,
}
_PROGRESS_OF_SENT = {
    Outcome.UNKNOWN: Progress.SENT,
    Outcome.DEFERRED: Progress.DEFERRED,
    Outcome.DELIVERED: Progress.DELIVERED,
    # The recipient has read it, and complained.
    Outcome.COMPLAINED: Progress.DELIVERED,
    Outcome.BOUNCED: Progress.REFUSED,
    Outcome.REJECTED: Progress.REFUSED,
}


def progress_of(status: Status, outcome: Outcome, *, age_s: float = 0.0, reports: bool = True) -> Progress:
    # `age_s` counts from when it was sent, or else written; `reports`: its provider reports deliveries.
    if status is Status.DEAD and outcome is Outcome.BOUNCED:
        # The provider answered that the address accepts no email.
        return Progress.REFUSED
    found = _PROGRESS_OF_SENT[outcome] if status is Status.SENT else _PROGRESS[status]
    if found is Progress.WAITING and age_s > USUAL_S:
        return Progress.DELAYED
    if found is Progress.SENT and (not reports or age_s > REPORTED_S):
        return Progress.UNREPORTED
    return found
