"""When sign-up email must be slowed, as a table."""

import pytest

from notifications.bounce_brake.decision import (
    BounceCounts,
    BrakeLimits,
    decisive_count,
    must_slow,
    releasable_now,
    release_wait_s,
)

LIMITS = BrakeLimits(least=10, share=0.05)


@pytest.mark.parametrize(
    ("bounced", "sent", "queue_s", "slow"),
    [
        (0, 0, 0, False),
        (9, 9, 0, False),  # all of it, but too few to decide
        (10, 10, 0, True),
        (10, 200, 0, True),  # 5 % exactly
        (10, 201, 0, False),
        (400, 10_000, 0, False),
        (10, 201, 30, True),  # the brake is on, and the share is not below half of the limit
        (10, 400, 30, True),
        (10, 401, 30, False),
        (9, 9, 30, False),  # the other bounces were too long ago
    ],
)
def test_email_is_slowed_above_a_share_and_a_number(bounced, sent, queue_s, slow):
    assert must_slow(BounceCounts(bounced=bounced, sent=sent, queue_s=queue_s), LIMITS) is slow


@pytest.mark.parametrize("bounced", [1, 10, 11, 99, 5000])
@pytest.mark.parametrize("queue_s", [0, 30])
def test_counts_above_the_decisive_one_change_nothing(bounced, queue_s):
    most = decisive_count(bounced, LIMITS)
    assert not must_slow(BounceCounts(bounced=bounced, sent=most, queue_s=queue_s), LIMITS)


@pytest.mark.parametrize(
    ("since_last_s", "per_min", "go"),
    [
        (None, 6, 1),  # the first
        (0, 6, 0),
        (9.9, 6, 0),
        (10, 6, 1),
        (600, 6, 1),  # the relay was down: no burst
        (0.5, 600, 5),  # a round at ten per second
        (600, 600, 20),
        (30, 0.5, 0),
        (120, 0.5, 1),
    ],
)
def test_queue_is_released_at_its_rate(since_last_s, per_min, go):
    assert releasable_now(since_last_s, per_min) == go


@pytest.mark.parametrize(
    ("ahead", "since_last_s", "expected"),
    [(0, None, 0), (2, None, 20), (0, 4, 6), (2, 4, 26), (0, 99, 0), (2, 99, 20)],
)
def test_message_waits_for_those_ahead_of_it(ahead, since_last_s, expected):
    assert release_wait_s(ahead, since_last_s, per_min=6) == expected
