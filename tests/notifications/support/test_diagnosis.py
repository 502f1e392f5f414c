"""Why a message has not arrived, as a table."""

import pytest

from notifications.rules.outcomes import Outcome
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Event, Status
from notifications.support.diagnosis import STEPS, Diagnosis, NextStep, Situation, diagnosis_of
from notifications.support.evidence import Evidence, Path

DOWN, REFUSED = (ErrorClass.TRANSIENT.value,), (ErrorClass.MISCONFIGURED.value,)
# Its task is in the broker: the relay would publish it again in 9 s.
PUBLISHED = {"relay_s": 9.0}
NO_PATH = Path(broker_is_down=True, is_served=False, relay_runs=False, refused_by=DOWN, probe_s=20)
S = Situation


def queued(*, path=None, **fields):
    return Evidence(status=Status.QUEUED, path=Path(**path or {}), **fields)


def later(due_s, **fields):
    return queued(**{"due_s": due_s, "relay_s": due_s} | fields)


QUEUED = {
    "nothing is wrong": (queued(), S.NEXT, 0, None),
    "published": (queued(**PUBLISHED), S.NEXT, 0, None),
    "paused": (queued(is_paused=True), S.PAUSED, None, None),
    "paused for an hour": (queued(is_paused=True, resumes_s=3600), S.PAUSED, 3600, None),
    "paused for less than the retry": (
        later(40, is_paused=True, resumes_s=5, has_failed=True),
        S.RETRY_PAUSE,
        40,
        None,
    ),
    "paused beyond its expiry": (queued(is_paused=True, resumes_s=3600, expires_s=60), S.WILL_EXPIRE, 60, None),
    "no provider": (queued(path={"has_provider": False}), S.NO_PROVIDER, None, None),
    "broker down": (queued(path={"broker_is_down": True}), S.BROKER_DOWN, None, None),
    "no worker": (queued(path={"is_served": False}), S.NO_WORKER, None, None),
    "no relay": (queued(path={"relay_runs": False}), S.NO_RELAY, None, None),
    "published without a relay": (queued(path={"relay_runs": False}, **PUBLISHED), S.NEXT, 0, None),
    "retry without a relay": (later(40, has_failed=True, path={"relay_runs": False}), S.NO_RELAY, None, None),
    # Celery retries it; the relay would publish it 10 s later.
    "Celery retries without a relay": (
        queued(due_s=40, relay_s=50, has_failed=True, path={"relay_runs": False}),
        *(S.RETRY_PAUSE, 40, None),
    ),
    "everything is down": (Evidence(status=Status.QUEUED, path=NO_PATH), S.BROKER_DOWN, None, None),
    "providers refuse": (queued(path={"refused_by": DOWN, "probe_s": 20}), S.PROVIDERS_REFUSE, 20, None),
    "provider is probed now": (queued(path={"refused_by": DOWN}), S.PROVIDERS_REFUSE, 0, None),
    "retry": (later(40, has_failed=True), S.RETRY_PAUSE, 40, None),
    "retry before the probe": (
        later(5, has_failed=True, path={"refused_by": DOWN, "probe_s": 20}),
        *(S.PROVIDERS_REFUSE, 20, None),
    ),
    "retry after the probe": (
        later(40, has_failed=True, path={"refused_by": DOWN, "probe_s": 20}),
        *(S.RETRY_PAUSE, 40, None),
    ),
    "retry is due": (queued(has_failed=True), S.NEXT, 0, None),
    "other version": (later(30, is_misfit=True), S.OTHER_VERSION, 30, None),
    "scheduled": (later(3600), S.SCHEDULED, 3600, None),
    "due in a moment": (later(1), S.NEXT, 1, None),
    "deferred by the budget": (later(8, ahead=12, path={"pace": 0.5}), S.RATE_LIMIT, 24, 12),
    "behind others deferred": (later(8, ahead=12, first_s=3, path={"pace": 0.5}), S.RATE_LIMIT, 27, 12),
    "first of those deferred": (later(8, path={"pace": 0.5}), S.RATE_LIMIT, 8, 0),
    "behind those deferred": (queued(ahead=12, path={"pace": 0.5}), S.RATE_LIMIT, 24, 12),
    "paced, but next": (queued(path={"pace": 0.5}), S.NEXT, 0, None),
    "provider asked for a pause": (later(30, path={"pace": 0.0, "pause_s": 60}), S.PROVIDER_PAUSE, 60, None),
    "day is used up": (later(300, path={"pace": 0.0, "day_s": 7200.0}), S.DAILY_LIMIT, 7200, None),
    "day is used up for good": (later(300, path={"day_s": None}), S.DAILY_LIMIT, None, None),
    "brake": (later(9999, brake_s=50.0, ahead=5), S.HELD_BY_BRAKE, 50, 5),
    "brake is off": (later(9999, brake_s=0.0), S.HELD_BY_BRAKE, 0, None),
    "backlog": (queued(ahead=300, per_s=10), S.IN_QUEUE, 30, 300),
    "backlog of unknown speed": (queued(ahead=300), S.IN_QUEUE, None, 300),
    "backlog without a provider": (
        queued(ahead=300, path={"refused_by": DOWN, "probe_s": 20}),
        *(S.PROVIDERS_REFUSE, 20, None),
    ),
    "will be cancelled": (queued(ends_as=Event.CANCELLED), S.WILL_END, 0, None),
    "will be cancelled after a pause": (later(40, has_failed=True, ends_as=Event.CANCELLED), S.WILL_END, 40, None),
    "will expire": (later(40, has_failed=True, expires_s=30), S.WILL_EXPIRE, 30, None),
    "will expire behind others": (queued(ahead=12, path={"pace": 0.5}, expires_s=20), S.WILL_EXPIRE, 20, 12),
    "will not expire": (later(40, has_failed=True, expires_s=90), S.RETRY_PAUSE, 40, None),
}


@pytest.mark.parametrize("name", QUEUED)
def test_queued_message_waits_for_what_ends_last(name):
    evidence, *expected = QUEUED[name]
    found = diagnosis_of(evidence)
    assert [found.situation, found.eta_s, found.ahead or None] == [*expected[:2], expected[2] or None]


def open_(status, **fields):
    return Evidence(status=status, **fields)


OPEN = {
    "preparing": (open_(Status.SENDING, lease_s=50), S.PREPARING, 50),
    "handed over": (open_(Status.SENDING, lease_s=50, is_handed_over=True), S.HANDED_OVER, 50),
    "worker lost": (open_(Status.SENDING, lease_s=-1), S.WORKER_LOST, 0),
    "worker and relay lost": (open_(Status.SENDING, lease_s=-1, path=Path(relay_runs=False)), S.NO_RELAY, None),
    "uncertain": (open_(Status.UNCERTAIN, settle_s=90, is_resent_when_settled=True), S.UNCERTAIN_RESENDS, 90),
    "uncertain, at most once": (open_(Status.UNCERTAIN, settle_s=90), S.UNCERTAIN_WAITS, 90),
    "uncertain, held": (open_(Status.UNCERTAIN), S.UNCERTAIN_HELD, None),
    "uncertain without a relay": (
        open_(Status.UNCERTAIN, settle_s=90, path=Path(relay_runs=False)),
        *(S.NO_RELAY, None),
    ),
}


@pytest.mark.parametrize("name", OPEN)
def test_open_message(name):
    evidence, situation, eta_s = OPEN[name]
    found = diagnosis_of(evidence)
    assert (found.situation, found.eta_s, found.ahead) == (situation, eta_s, None)


def sent(outcome=Outcome.UNKNOWN, **fields):
    return Evidence(status=Status.SENT, outcome=outcome, **fields)


def ended(status, **fields):
    return Evidence(status=status, **fields)


ENDED = {
    "sent": (sent(), S.SENT, NextStep.WAIT),
    "sent, and not reported for long": (sent(is_report_late=True), S.SENT, NextStep.CHECK_SPAM),
    "sent by smtp": (sent(is_reported=False), S.UNREPORTED, NextStep.CHECK_SPAM),
    "deferred": (sent(Outcome.DEFERRED), S.DEFERRED, NextStep.WAIT),
    "delivered": (sent(Outcome.DELIVERED), S.DELIVERED, NextStep.CHECK_SPAM),
    "bounced": (sent(Outcome.BOUNCED, is_suppressed=True), S.BOUNCED, NextStep.CHECK_ADDRESS),
    "complained": (sent(Outcome.COMPLAINED, is_suppressed=True), S.COMPLAINED, NextStep.LIFT_SUPPRESSION),
    "complained, and lifted": (sent(Outcome.COMPLAINED), S.COMPLAINED, NextStep.NOTHING),
    "rejected": (sent(Outcome.REJECTED), S.REJECTED, NextStep.CHECK_PROVIDER),
    "suppressed": (ended(Status.SUPPRESSED, is_suppressed=True), S.SUPPRESSED, NextStep.LIFT_SUPPRESSION),
    "lifted": (ended(Status.SUPPRESSED), S.SUPPRESSION_LIFTED, NextStep.RESEND),
    "lifted and resent": (ended(Status.SUPPRESSED, is_resent=True), S.SUPPRESSION_LIFTED, NextStep.OPEN_COPY),
    "expired": (ended(Status.EXPIRED), S.EXPIRED, NextStep.RESEND),
    "expired, not needed": (ended(Status.EXPIRED, may_resend=False), S.EXPIRED, NextStep.NOTHING),
    "cancelled": (ended(Status.CANCELLED), S.CANCELLED, NextStep.RESEND),
    "cancelled, not needed": (ended(Status.CANCELLED, may_resend=False), S.CANCELLED, NextStep.NOTHING),
    "dead": (ended(Status.DEAD), S.DEAD, NextStep.REPLAY),
    "dead and expired": (ended(Status.DEAD, may_replay=False), S.DEAD, NextStep.RESEND),
    "dead, not needed": (ended(Status.DEAD, may_replay=False, may_resend=False), S.DEAD, NextStep.NOTHING),
    "dead and resent": (ended(Status.DEAD, is_resent=True), S.DEAD, NextStep.OPEN_COPY),
    "anonymized": (ended(Status.CANCELLED, is_anonymized=True), S.ANONYMIZED, NextStep.NOTHING),
}


@pytest.mark.parametrize("name", ENDED)
def test_ended_message_has_a_next_step_and_no_eta(name):
    evidence, situation, step = ENDED[name]
    assert diagnosis_of(evidence) == Diagnosis(situation=situation, step=step)


@pytest.mark.parametrize(
    ("evidence", "step"),
    [
        (queued(path={"refused_by": DOWN}), NextStep.WAIT),
        (queued(path={"refused_by": REFUSED}), NextStep.CHECK_PROVIDER),
        (queued(path={"refused_by": (*DOWN, *REFUSED)}), NextStep.CHECK_PROVIDER),
        (queued(is_paused=True), NextStep.RESUME),
        (queued(ends_as=Event.CANCELLED), NextStep.NOTHING),
        (queued(ends_as=Event.ADDRESS_SUPPRESSED, is_suppressed=True), NextStep.LIFT_SUPPRESSION),
        (queued(ahead=5), NextStep.WAIT),
        (later(90, expires_s=60), NextStep.RETRY_NOW),
    ],
)
def test_step_of_a_waiting_message(evidence, step):
    assert diagnosis_of(evidence).step is step


def test_every_situation_is_in_a_table():
    found = {diagnosis_of(evidence).situation for table in (QUEUED, OPEN, ENDED) for evidence, *_ in table.values()}
    assert found == set(Situation)
    assert set(STEPS) <= found
