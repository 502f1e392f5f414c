"""Decide how a message can be sent again, and what would happen. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

from notifications.delivery import relevance
from notifications.delivery.relevance import UNKNOWN_KIND, Skip
from notifications.rules.outcomes import Outcome
from notifications.rules.states import Event, Status


class Verb(StrEnum):
    """How a message is sent again."""

    RETRY = "retry"  # skip the pause before the next attempt
    REPLAY = "replay"  # restart a dead letter
    RESEND = "resend"  # make a new message of it
    LIFT = "lift"  # lift the suppression of its address, then resend it
    SETTLE = "settle"  # send an uncertain message a second time
    NONE = "none"


class Verdict(StrEnum):
    """What would happen to a message that is sent again."""

    SENDS = "sends"
    TO_CURRENT_ADDRESS = "to-current-address"  # the account has another address than the message
    SENT_BEFORE = "sent-before"  # the recipient gets another copy
    MAY_ARRIVE_TWICE = "may-arrive-twice"  # the provider may have accepted the first
    SUPPRESSED = "suppressed"
    CONFIRMED = "confirmed"
    IRRELEVANT = "irrelevant"
    SUPERSEDED = "superseded"
    NO_ACCOUNT = "no-account"
    ACCOUNT_CLOSED = "account-closed"
    ADDRESS_GONE = "address-gone"
    FLOODED = "flooded"
    EXPIRED = "expired"
    KIND_GONE = "kind-gone"
    BROKEN = "broken"
    ANONYMIZED = "anonymized"
    CONTENT_DELETED = "content-deleted"  # its files, further recipients or stored text
    QUEUED = "queued"
    HELD = "held"
    SENDING = "sending"
    COPY_OPEN = "copy-open"
    NEWER_COPY = "newer-copy"
    IN_SELECTION = "in-selection"  # another selected message replaces it


class Wait(StrEnum):
    """What holds back an email that will be sent."""

    PROVIDER = "provider"  # none accepts email now
    PAUSE = "pause"  # an operator has paused its stream or kind
    BRAKE = "brake"  # the bounce brake slows its kind


VERBS: Mapping[Verb, str | Promise] = {
    Verb.RETRY: pgettext_lazy("action", "Retry now"),
    Verb.REPLAY: pgettext_lazy("action", "Replay"),
    Verb.RESEND: pgettext_lazy("action", "Resend"),
    Verb.LIFT: pgettext_lazy("action", "Lift the suppression and resend"),
    Verb.SETTLE: pgettext_lazy("action", "Send a second time"),
    Verb.NONE: pgettext_lazy("action", "None"),
}
VERDICTS: Mapping[Verdict, str | Promise] = {
    Verdict.SENDS: gettext_lazy("Will be sent"),
    Verdict.TO_CURRENT_ADDRESS: gettext_lazy("Will be sent to the account's current address"),
    Verdict.SENT_BEFORE: gettext_lazy("Already sent; the recipient gets another copy"),
    Verdict.MAY_ARRIVE_TWICE: gettext_lazy("May arrive twice: the provider may have accepted the first one"),
    Verdict.SUPPRESSED: gettext_lazy("The address is suppressed"),
    Verdict.CONFIRMED: gettext_lazy("The address is already confirmed"),
    Verdict.IRRELEVANT: gettext_lazy("No longer relevant to the user"),
    Verdict.SUPERSEDED: gettext_lazy("A newer message of this kind was requested"),
    Verdict.NO_ACCOUNT: gettext_lazy("No account has this address"),
    Verdict.ACCOUNT_CLOSED: gettext_lazy("The account is closed"),
    Verdict.ADDRESS_GONE: gettext_lazy("The account no longer has this address"),
    Verdict.FLOODED: gettext_lazy("The address has reached its hourly limit for this kind"),
    Verdict.EXPIRED: gettext_lazy("Expired before it could be sent"),
    Verdict.KIND_GONE: gettext_lazy("No app declares its kind"),
    Verdict.BROKEN: gettext_lazy("Would fail again"),
    Verdict.ANONYMIZED: gettext_lazy("Anonymized: the recipient's address was erased"),
    Verdict.CONTENT_DELETED: gettext_lazy("Its files, further recipients or text were deleted"),
    Verdict.QUEUED: gettext_lazy("Is already queued"),
    Verdict.HELD: gettext_lazy("Held by the bounce brake, which releases it later"),
    Verdict.SENDING: gettext_lazy("A worker is sending it now"),
    Verdict.COPY_OPEN: gettext_lazy("Another copy may still arrive"),
    Verdict.NEWER_COPY: gettext_lazy("A newer copy is dead too; replay that one"),
    Verdict.IN_SELECTION: gettext_lazy("Another selected message replaces it"),
}
WAITS: Mapping[Wait, str | Promise] = {
    Wait.PROVIDER: gettext_lazy("It waits until a provider accepts email again."),
    Wait.PAUSE: gettext_lazy("It waits until an operator resumes its stream or kind."),
    Wait.BRAKE: gettext_lazy("It waits until the bounce brake releases it."),
}
# The permission that each verb needs, besides that to view messages.
PERMISSIONS: Mapping[Verb, tuple[str, ...]] = {
    Verb.RETRY: ("resend_message",),
    Verb.REPLAY: ("replay_message",),
    Verb.RESEND: ("resend_message",),
    Verb.LIFT: ("resend_message", "view_suppression", "lift_suppression"),
    Verb.SETTLE: ("settle_message",),
    Verb.NONE: (),
}

_BY_REASON = {
    relevance.ERASED: Verdict.ANONYMIZED,
    relevance.NO_ACCOUNT: Verdict.NO_ACCOUNT,
    relevance.ACCOUNT_CLOSED: Verdict.ACCOUNT_CLOSED,
    relevance.ADDRESS_CHANGED: Verdict.ADDRESS_GONE,
    relevance.SUPERSEDED: Verdict.SUPERSEDED,
    relevance.NOT_NEEDED: Verdict.IRRELEVANT,
    relevance.FLOODED: Verdict.FLOODED,
}
_BY_EVENT = {Event.ADDRESS_SUPPRESSED: Verdict.SUPPRESSED, Event.EXPIRED: Verdict.EXPIRED}
_NOT_RECEIVED = {Outcome.BOUNCED, Outcome.REJECTED}


@dataclass(frozen=True, kw_only=True)
class SendAgainFacts:
    """The facts that decide how one message is sent again."""

    status: Status
    outcome: Outcome = Outcome.UNKNOWN
    anonymized: bool = False
    content_deleted: bool = False
    # Queued for a later attempt, or held by the bounce brake.
    waits: bool = False
    held: bool = False
    # Of another copy: it may still arrive, was sent, or is dead and newer.
    copy_open: bool = False
    copy_sent: bool = False
    copy_dead: bool = False
    # Why the message would not be sent, and why a copy of it would not; None if it would.
    replay: Verdict | None = None
    resend: Verdict | None = None
    # A copy would go to another address.
    moves: bool = False
    # An operator may lift the suppressions of the address, and then a copy would be sent.
    liftable: bool = False


def skip_verdict(skip: Skip | None, *, is_confirmed: bool = False) -> Verdict | None:
    # `is_confirmed`: the kind asks to confirm an address, and that has happened.
    if skip is None:
        return None
    if skip.reason == relevance.NOT_NEEDED and is_confirmed:
        return Verdict.CONFIRMED
    gone = Verdict.KIND_GONE if skip.fingerprint == f"kind/{UNKNOWN_KIND}" else Verdict.BROKEN
    return _BY_REASON.get(skip.reason) or _BY_EVENT.get(skip.event, gone)


def choose(found: SendAgainFacts) -> tuple[Verb, Verdict]:
    """Return the verb that sends a message again, and what would happen."""
    if found.anonymized:
        return Verb.NONE, Verdict.ANONYMIZED
    if found.status in {Status.QUEUED, Status.SENDING, Status.UNCERTAIN}:
        return _choose_of_open(found)
    if found.copy_open:
        return Verb.NONE, Verdict.COPY_OPEN
    if found.status is Status.DEAD and not (found.replay or found.copy_sent):
        return (Verb.NONE, Verdict.NEWER_COPY) if found.copy_dead else (Verb.REPLAY, Verdict.SENDS)
    return _choose_of_ended(found)


def _choose_of_open(found: SendAgainFacts) -> tuple[Verb, Verdict]:
    if found.status is Status.SENDING:
        return Verb.NONE, Verdict.SENDING
    if found.status is Status.QUEUED and not found.waits:
        return Verb.NONE, Verdict.HELD if found.held else Verdict.QUEUED
    if found.replay:
        return Verb.NONE, found.replay
    if found.status is Status.QUEUED:
        return Verb.RETRY, Verdict.SENDS
    return Verb.SETTLE, Verdict.MAY_ARRIVE_TWICE


def _choose_of_ended(found: SendAgainFacts) -> tuple[Verb, Verdict]:
    if found.content_deleted:
        return Verb.NONE, Verdict.CONTENT_DELETED
    if found.resend:
        is_lifted = found.resend is Verdict.SUPPRESSED and found.liftable
        return Verb.LIFT if is_lifted else Verb.NONE, found.resend
    if found.moves:
        return Verb.RESEND, Verdict.TO_CURRENT_ADDRESS
    was_sent = found.status is Status.SENT and found.outcome not in _NOT_RECEIVED
    if was_sent or found.copy_sent:
        return Verb.RESEND, Verdict.SENT_BEFORE
    return Verb.RESEND, Verdict.SENDS


def verdict_in_words(verdict: Verdict, wait: Wait | None, detail: str = "") -> str:
    """Return what would happen. `detail` says it more exactly than the verdict."""
    said = detail or str(VERDICTS[verdict])
    return f"{said.removesuffix('.')}. {WAITS[wait]}" if wait else said
