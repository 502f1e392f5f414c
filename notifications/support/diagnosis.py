"""Decide why a message has not arrived, until when, and what to do next. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from notifications.rules.outcomes import Outcome
from notifications.rules.states import Status
from notifications.support.evidence import Evidence, Path


class Situation(StrEnum):
    """What a message waits for, or how it ended."""

    # Queued, until something that has no known end …
    PAUSED = "paused"
    NO_PROVIDER = "no-provider"
    BROKER_DOWN = "broker-down"
    NO_WORKER = "no-worker"
    NO_RELAY = "no-relay"
    # … or for a known time.
    PROVIDERS_REFUSE = "providers-refuse"
    PROVIDER_PAUSE = "provider-pause"
    DAILY_LIMIT = "daily-limit"
    HELD_BY_BRAKE = "held-by-brake"
    RETRY_PAUSE = "retry-pause"
    OTHER_VERSION = "other-version"
    SCHEDULED = "scheduled"
    RATE_LIMIT = "rate-limit"
    IN_QUEUE = "in-queue"
    NEXT = "next"
    WILL_END = "will-not-be-sent"
    WILL_EXPIRE = "will-expire"
    PREPARING = "preparing"
    HANDED_OVER = "handed-over"
    WORKER_LOST = "worker-lost"
    UNCERTAIN_RESENDS = "uncertain-will-resend"
    UNCERTAIN_WAITS = "uncertain-will-wait"
    UNCERTAIN_HELD = "uncertain-needs-decision"
    SENT = "sent"
    UNREPORTED = "unreported"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    REJECTED = "rejected"
    SUPPRESSED = "suppressed"
    SUPPRESSION_LIFTED = "suppression-lifted"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    DEAD = "dead"
    ANONYMIZED = "anonymized"


class NextStep(StrEnum):
    """What support staff or an operator does next."""

    NOTHING = "nothing"
    WAIT = "wait"
    RETRY_NOW = "retry-now"
    RESEND = "resend"
    REPLAY = "replay"
    SETTLE = "settle"
    LIFT_SUPPRESSION = "lift-suppression"
    OPEN_COPY = "open-copy"
    RELEASE_HELD = "release-held"
    RESUME = "resume"
    CHECK_STATUS = "check-status"
    CHECK_PROVIDER = "check-provider"
    RESTART_WORKERS = "restart-workers"
    CHECK_SPAM = "check-spam"
    CHECK_ADDRESS = "check-address"


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """`eta_s`: seconds until the message is tried or its status changes, None if unknown.

    `ahead`: how many messages are sent before it, None if that is not what it waits for. `blocked_by`: what keeps a
    message that will expire.
    """

    situation: Situation
    step: NextStep
    eta_s: float | None = None
    ahead: int | None = None
    blocked_by: Situation | None = None


STEPS = {
    Situation.PAUSED: NextStep.RESUME,
    Situation.NO_PROVIDER: NextStep.CHECK_STATUS,
    Situation.BROKER_DOWN: NextStep.CHECK_STATUS,
    Situation.NO_WORKER: NextStep.CHECK_STATUS,
    Situation.NO_RELAY: NextStep.CHECK_STATUS,
    Situation.HELD_BY_BRAKE: NextStep.RELEASE_HELD,
    Situation.RETRY_PAUSE: NextStep.RETRY_NOW,
    Situation.OTHER_VERSION: NextStep.RESTART_WORKERS,
    Situation.SCHEDULED: NextStep.RETRY_NOW,
    Situation.WILL_END: NextStep.NOTHING,
    Situation.UNCERTAIN_WAITS: NextStep.SETTLE,
    Situation.UNCERTAIN_HELD: NextStep.SETTLE,
    Situation.UNREPORTED: NextStep.CHECK_SPAM,
    Situation.DELIVERED: NextStep.CHECK_SPAM,
    Situation.BOUNCED: NextStep.CHECK_ADDRESS,
    Situation.COMPLAINED: NextStep.LIFT_SUPPRESSION,
    Situation.REJECTED: NextStep.CHECK_PROVIDER,
    Situation.SUPPRESSED: NextStep.LIFT_SUPPRESSION,
    Situation.SUPPRESSION_LIFTED: NextStep.RESEND,
    Situation.EXPIRED: NextStep.RESEND,
    Situation.CANCELLED: NextStep.RESEND,
    Situation.DEAD: NextStep.REPLAY,
    Situation.ANONYMIZED: NextStep.NOTHING,
}
_OUTCOMES = {
    Outcome.DEFERRED: Situation.DEFERRED,
    Outcome.DELIVERED: Situation.DELIVERED,
    Outcome.BOUNCED: Situation.BOUNCED,
    Outcome.COMPLAINED: Situation.COMPLAINED,
    Outcome.REJECTED: Situation.REJECTED,
}
_ENDED = {
    Status.EXPIRED: Situation.EXPIRED,
    Status.CANCELLED: Situation.CANCELLED,
    Status.DEAD: Situation.DEAD,
}
#: A message that is due sooner is not called scheduled: the budget's pace may have expired just before.
SOON_S = 2.0


def diagnosis_of(evidence: Evidence) -> Diagnosis:
    match evidence.status:
        case Status.QUEUED:
            return _queued(evidence)
        case Status.SENDING:
            return _sending(evidence)
        case Status.UNCERTAIN:
            return _uncertain(evidence)
        case Status.SENT:
            return _sent(evidence)
        case _:
            return _ended(evidence)


def _queued(evidence: Evidence) -> Diagnosis:
    cause, eta_s = _bottleneck(evidence)
    ahead = evidence.ahead if cause in {Situation.RATE_LIMIT, Situation.IN_QUEUE, Situation.HELD_BY_BRAKE} else None
    if evidence.ends_as:
        step = NextStep.LIFT_SUPPRESSION if evidence.is_suppressed else NextStep.NOTHING
        return Diagnosis(situation=Situation.WILL_END, step=step, eta_s=eta_s)
    if eta_s is not None and evidence.expires_s is not None and evidence.expires_s <= eta_s:
        step = _step(cause, evidence.path)
        return Diagnosis(
            situation=Situation.WILL_EXPIRE, step=step, eta_s=evidence.expires_s, ahead=ahead, blocked_by=cause
        )
    return Diagnosis(situation=cause, step=_step(cause, evidence.path), eta_s=eta_s, ahead=ahead)


def _bottleneck(evidence: Evidence) -> tuple[Situation, float | None]:
    # What ends last: first of all what has no known end.
    found = list(_blockers(evidence))
    for cause, until_s in found:
        if until_s is None:
            return cause, None
    # Of equal ends, the first one.
    return max(found, key=lambda each: each[1] or 0.0, default=_in_queue(evidence))


def _blockers(evidence: Evidence) -> Iterator[tuple[Situation, float | None]]:
    path = evidence.path
    if evidence.is_paused:
        yield Situation.PAUSED, evidence.resumes_s
    if not path.has_provider:
        yield Situation.NO_PROVIDER, None
    if path.broker_is_down:
        yield Situation.BROKER_DOWN, None
    elif not path.is_served:
        yield Situation.NO_WORKER, None
    if evidence.needs_relay and not path.relay_runs:
        yield Situation.NO_RELAY, None
    if path.refused_by:
        yield Situation.PROVIDERS_REFUSE, path.probe_s
    yield from _pauses(evidence)
    yield from _limits(evidence)


def _pauses(evidence: Evidence) -> Iterator[tuple[Situation, float]]:
    # What the row says.
    if evidence.brake_s is not None:
        yield Situation.HELD_BY_BRAKE, evidence.brake_s
    elif evidence.due_s <= 0:
        return
    elif evidence.is_misfit:
        yield Situation.OTHER_VERSION, evidence.due_s
    elif evidence.has_failed:
        yield Situation.RETRY_PAUSE, evidence.due_s
    elif evidence.due_s > SOON_S and not _is_limited(evidence.path):
        yield Situation.SCHEDULED, evidence.due_s


def _limits(evidence: Evidence) -> Iterator[tuple[Situation, float | None]]:
    # What the budget says. It has deferred the message, or will when a worker asks.
    path = evidence.path
    due_s = 0.0 if evidence.brake_s is not None else max(evidence.due_s, 0.0)
    if path.pause_s > 0:
        yield Situation.PROVIDER_PAUSE, max(path.pause_s, due_s)
    elif path.day_s != 0:
        yield Situation.DAILY_LIMIT, path.day_s and max(path.day_s, due_s)
    elif path.pace and (due_s or evidence.ahead):
        yield Situation.RATE_LIMIT, max(due_s, evidence.first_s + evidence.ahead / path.pace)


def _is_limited(path: Path) -> bool:
    return path.pace is not None or path.pause_s > 0 or path.day_s != 0


def _in_queue(evidence: Evidence) -> tuple[Situation, float | None]:
    if not evidence.ahead:
        return Situation.NEXT, max(evidence.due_s, 0.0)
    return Situation.IN_QUEUE, evidence.ahead / evidence.per_s if evidence.per_s else None


def _step(cause: Situation, path: Path) -> NextStep:
    if cause is Situation.PROVIDERS_REFUSE and path.needs_operator:
        return NextStep.CHECK_PROVIDER
    return STEPS.get(cause, NextStep.WAIT)


def _sending(evidence: Evidence) -> Diagnosis:
    if evidence.lease_s > 0:
        situation = Situation.HANDED_OVER if evidence.is_handed_over else Situation.PREPARING
        return Diagnosis(situation=situation, step=NextStep.WAIT, eta_s=evidence.lease_s)
    if not evidence.path.relay_runs:
        return Diagnosis(situation=Situation.NO_RELAY, step=NextStep.CHECK_STATUS)
    return Diagnosis(situation=Situation.WORKER_LOST, step=NextStep.WAIT, eta_s=0.0)


def _uncertain(evidence: Evidence) -> Diagnosis:
    if evidence.settle_s is None:
        return Diagnosis(situation=Situation.UNCERTAIN_HELD, step=NextStep.SETTLE)
    if not evidence.path.relay_runs:
        return Diagnosis(situation=Situation.NO_RELAY, step=NextStep.CHECK_STATUS)
    situation = Situation.UNCERTAIN_RESENDS if evidence.is_resent_when_settled else Situation.UNCERTAIN_WAITS
    return Diagnosis(situation=situation, step=STEPS.get(situation, NextStep.WAIT), eta_s=max(evidence.settle_s, 0.0))


def _sent(evidence: Evidence) -> Diagnosis:
    unknown = Situation.SENT if evidence.is_reported else Situation.UNREPORTED
    situation = _OUTCOMES.get(evidence.outcome, unknown)
    step = STEPS.get(situation, NextStep.WAIT)
    if step is NextStep.LIFT_SUPPRESSION and not evidence.is_suppressed:
        step = NextStep.NOTHING
    if situation is Situation.SENT and evidence.is_report_late:
        step = NextStep.CHECK_SPAM
    return Diagnosis(situation=situation, step=step)


def _ended(evidence: Evidence) -> Diagnosis:
    if evidence.is_anonymized:
        return Diagnosis(situation=Situation.ANONYMIZED, step=NextStep.NOTHING)
    if evidence.status is Status.SUPPRESSED:
        situation = Situation.SUPPRESSED if evidence.is_suppressed else Situation.SUPPRESSION_LIFTED
    else:
        situation = _ENDED[evidence.status]
    if evidence.is_resent:
        return Diagnosis(situation=situation, step=NextStep.OPEN_COPY)
    return Diagnosis(situation=situation, step=_allowed(STEPS[situation], evidence))


def _allowed(step: NextStep, evidence: Evidence) -> NextStep:
    # What would change nothing is not offered.
    if step is NextStep.REPLAY and not evidence.may_replay:
        step = NextStep.RESEND
    if step is NextStep.RESEND and not evidence.may_resend:
        return NextStep.NOTHING
    return step
