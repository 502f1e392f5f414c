from itertools import product
from uuid import uuid4

import pytest

from notifications.rules.outcomes import MEANS, RANK, BounceKind, EventType, Outcome, lower_than, meant
from notifications.rules.states import Stream
from notifications.rules.suppression import (
    Candidate,
    Pass,
    Reason,
    Standing,
    judge,
    probes,
    reason_for,
    why_blocked,
)


def test_tables_are_total():
    assert set(MEANS) == set(EventType)
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
def test_event_means(kind, bounce, outcome):
    assert meant(kind, bounce) is outcome


@pytest.mark.parametrize(
    ("reason", "stream", "may_probe", "rested", "expected"),
    [
        (Reason.UNSUBSCRIBED, Stream.BULK, False, True, Pass.BLOCKED),
        (Reason.UNSUBSCRIBED, Stream.DEFAULT, False, False, Pass.FREE),
        (Reason.UNSUBSCRIBED, Stream.CRITICAL, True, False, Pass.FREE),
        (Reason.SOFT_BOUNCES, Stream.CRITICAL, True, True, Pass.PROBE),
        (Reason.SOFT_BOUNCES, Stream.CRITICAL, True, False, Pass.BLOCKED),
        (Reason.SOFT_BOUNCES, Stream.DEFAULT, False, True, Pass.BLOCKED),
        (Reason.HARD_BOUNCE, Stream.CRITICAL, True, True, Pass.BLOCKED),
        (Reason.COMPLAINT, Stream.CRITICAL, True, True, Pass.BLOCKED),
        (Reason.BY_HAND, Stream.CRITICAL, True, True, Pass.BLOCKED),
    ],
)
def test_list_says(reason, stream, may_probe, rested, expected):
    assert judge(Standing(reason=reason, rested=rested), Candidate(stream=stream, may_probe=may_probe)) is expected


def test_every_reason_and_stream_is_judged():
    for reason, stream, may_probe, rested in product(Reason, Stream, [True, False], [True, False]):
        assert judge(Standing(reason=reason, rested=rested), Candidate(stream=stream, may_probe=may_probe)) in Pass


def test_probe_goes_only_where_nothing_else_blocks():
    soft, hard = Standing(reason=Reason.SOFT_BOUNCES, rested=True), Standing(reason=Reason.HARD_BOUNCE, rested=True)
    reset = Candidate(stream=Stream.CRITICAL, may_probe=True)
    assert why_blocked([soft], reset) is None
    assert probes([soft], reset)
    assert why_blocked([soft, hard], reset) is Reason.HARD_BOUNCE
    assert why_blocked([], Candidate(stream=Stream.BULK, may_probe=False)) is None


def test_probe_goes_on_being_the_probe_and_nobody_else_is():
    one, other = uuid4(), uuid4()
    probed = Standing(reason=Reason.SOFT_BOUNCES, rested=False, recheck_id=one)
    for message_id, expected in ((one, Pass.PROBE), (other, Pass.BLOCKED), (None, Pass.BLOCKED)):
        message = Candidate(stream=Stream.CRITICAL, may_probe=True, message_id=message_id)
        assert judge(probed, message) is expected


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
        # The provider dropped it because it knows the address to be dead.
        (EventType.REJECTED, BounceKind.HARD, 0, Reason.HARD_BOUNCE),
        (EventType.DELIVERED, None, 9, None),
    ],
)
def test_event_suppresses(kind, bounce, soft_bounces, reason):
    assert reason_for(kind, bounce, soft_bounces=soft_bounces, soft_bounce_limit=3) is reason
