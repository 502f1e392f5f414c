from itertools import product
from uuid import uuid4

import pytest

from notifications.rules.outcomes import OUTCOMES, RANK, BounceKind, EventType, Outcome, lower_than, reported_outcome
from notifications.rules.states import Stream
from notifications.rules.suppression import (
    BOUNCES,
    ActiveSuppression,
    Candidate,
    Reason,
    blocking_reason,
    check_suppression,
    is_recheck,
    may_ask_for_recheck,
    reason_for,
)
from notifications.rules.suppression import SuppressionCheck as Check


def test_tables_are_total():
    assert set(OUTCOMES) == set(EventType)
    assert set(RANK) == set(Outcome)
    assert len(set(RANK.values())) == len(Outcome)


@pytest.mark.parametrize(("before", "after"), list(product(Outcome, Outcome)))
def test_of_two_outcomes_one_is_final(before, after):
    if before is not after:
        assert (before in lower_than(after)) != (after in lower_than(before))
    else:
        assert before not in lower_than(after)


@pytest.mark.parametrize(
    ("kind", "bounce", "outcome"),
    [
        (EventType.ACCEPTED, None, None),
        (EventType.DEFERRED, None, Outcome.DEFERRED),
        (EventType.DELIVERED, None, Outcome.DELIVERED),
        (EventType.BOUNCED, BounceKind.HARD, Outcome.BOUNCED),
        (EventType.BOUNCED, BounceKind.SOFT, Outcome.BOUNCED),
        (EventType.BOUNCED, BounceKind.AUTO_REPLY, Outcome.DELIVERED),
        (EventType.COMPLAINED, None, Outcome.COMPLAINED),
        (EventType.NOT_SPAM, None, None),
        (EventType.REJECTED, None, Outcome.REJECTED),
        (EventType.UNSUBSCRIBED, None, None),
    ],
)
def test_reported_outcome(kind, bounce, outcome):
    assert reported_outcome(kind, bounce) is outcome


def check(reason, stream, *, may_recheck, cooled_off):
    candidate = Candidate(stream=stream, may_recheck=may_recheck)
    return check_suppression(ActiveSuppression(reason=reason, cooled_off=cooled_off), candidate)


@pytest.mark.parametrize(
    ("reason", "stream", "may_recheck", "cooled_off", "expected"),
    [
        (Reason.UNSUBSCRIBED, Stream.BULK, False, True, Check.BLOCKED),
        (Reason.UNSUBSCRIBED, Stream.DEFAULT, False, False, Check.ALLOWED),
        (Reason.UNSUBSCRIBED, Stream.CRITICAL, True, False, Check.ALLOWED),
        (Reason.SOFT_BOUNCES, Stream.CRITICAL, True, True, Check.RECHECK),
        (Reason.SOFT_BOUNCES, Stream.CRITICAL, True, False, Check.BLOCKED),
        (Reason.SOFT_BOUNCES, Stream.DEFAULT, False, True, Check.BLOCKED),
        (Reason.HARD_BOUNCE, Stream.CRITICAL, True, True, Check.BLOCKED),
        (Reason.COMPLAINT, Stream.CRITICAL, True, True, Check.BLOCKED),
        (Reason.BY_HAND, Stream.CRITICAL, True, True, Check.BLOCKED),
    ],
)
def test_check_of_suppressions(reason, stream, may_recheck, cooled_off, expected):
    assert check(reason, stream, may_recheck=may_recheck, cooled_off=cooled_off) is expected


def test_every_reason_and_stream_is_checked():
    for reason, stream, may_recheck, cooled_off in product(Reason, Stream, [True, False], [True, False]):
        assert check(reason, stream, may_recheck=may_recheck, cooled_off=cooled_off) in Check


def test_recheck_is_only_sent_if_no_other_suppression_blocks():
    soft = ActiveSuppression(reason=Reason.SOFT_BOUNCES, cooled_off=True)
    hard = ActiveSuppression(reason=Reason.HARD_BOUNCE, cooled_off=True)
    reset = Candidate(stream=Stream.CRITICAL, may_recheck=True)
    assert blocking_reason([soft], reset) is None
    assert is_recheck([soft], reset)
    assert blocking_reason([soft, hard], reset) is Reason.HARD_BOUNCE
    assert blocking_reason([], Candidate(stream=Stream.BULK, may_recheck=False)) is None


def test_recheck_stays_the_only_one():
    one, other = uuid4(), uuid4()
    rechecked = ActiveSuppression(reason=Reason.SOFT_BOUNCES, cooled_off=False, recheck_id=one)
    for message_id, expected in ((one, Check.RECHECK), (other, Check.BLOCKED), (None, Check.BLOCKED)):
        message = Candidate(stream=Stream.CRITICAL, may_recheck=True, message_id=message_id)
        assert check_suppression(rechecked, message) is expected


@pytest.mark.parametrize("reason", Reason)
def test_recheck_that_the_owner_asked_for_is_sent_after_any_bounce(reason):
    message = Candidate(stream=Stream.CRITICAL, may_recheck=False, message_id=uuid4())
    suppression = ActiveSuppression(reason=reason, cooled_off=False, recheck_id=message.message_id)
    expected = {Reason.UNSUBSCRIBED: Check.ALLOWED, **dict.fromkeys(BOUNCES, Check.RECHECK)}
    assert check_suppression(suppression, message) is expected.get(reason, Check.BLOCKED)


@pytest.mark.parametrize(
    ("in_force", "may_ask"),
    [
        ([], False),
        ([(Reason.HARD_BOUNCE, False)], True),
        ([(Reason.HARD_BOUNCE, True)], False),
        ([(Reason.SOFT_BOUNCES, False)], True),
        ([(Reason.HARD_BOUNCE, False), (Reason.SOFT_BOUNCES, True)], False),
        ([(Reason.HARD_BOUNCE, False), (Reason.UNSUBSCRIBED, False)], True),
        ([(Reason.UNSUBSCRIBED, False)], False),
        ([(Reason.HARD_BOUNCE, False), (Reason.COMPLAINT, False)], False),
        ([(Reason.BY_HAND, False)], False),
    ],
)
def test_owner_may_ask_for_a_recheck_once_a_day_if_only_bounces_block(in_force, may_ask):
    assert may_ask_for_recheck(in_force) is may_ask


@pytest.mark.parametrize(
    ("kind", "bounce", "soft_bounces", "reason"),
    [
        (EventType.BOUNCED, BounceKind.HARD, 0, Reason.HARD_BOUNCE),
        (EventType.BOUNCED, BounceKind.SOFT, 2, None),
        (EventType.BOUNCED, BounceKind.SOFT, 3, Reason.SOFT_BOUNCES),
        (EventType.BOUNCED, BounceKind.AUTO_REPLY, 9, None),
        (EventType.BOUNCED, None, 9, None),
        (EventType.COMPLAINED, None, 0, Reason.COMPLAINT),
        (EventType.UNSUBSCRIBED, None, 0, Reason.UNSUBSCRIBED),
        (EventType.NOT_SPAM, None, 0, None),
        (EventType.REJECTED, None, 0, None),
        # The provider dropped it because it knows that the address is dead.
        (EventType.REJECTED, BounceKind.HARD, 0, Reason.HARD_BOUNCE),
        (EventType.DELIVERED, None, 9, None),
    ],
)
def test_event_suppresses(kind, bounce, soft_bounces, reason):
    assert reason_for(kind, bounce, soft_bounces=soft_bounces, soft_bounce_limit=3) is reason
