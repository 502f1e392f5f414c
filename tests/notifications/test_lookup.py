"""What people are told of their email, for everything that can be true of it."""

from itertools import product

import pytest

from notifications import Progress
from notifications.lookup import REPORTED_S, USUAL_S, progress_of
from notifications.rules.outcomes import Outcome
from notifications.rules.states import Status


@pytest.mark.parametrize(
    ("status", "outcome", "age_s", "reports", "told"),
    [
        (Status.QUEUED, Outcome.UNKNOWN, 0, True, Progress.WAITING),
        (Status.QUEUED, Outcome.UNKNOWN, USUAL_S + 1, True, Progress.DELAYED),
        # A provider that has taken nothing yet has nothing to report.
        (Status.QUEUED, Outcome.UNKNOWN, 0, False, Progress.WAITING),
        (Status.SENDING, Outcome.UNKNOWN, 0, True, Progress.WAITING),
        (Status.SENDING, Outcome.UNKNOWN, 3600, True, Progress.DELAYED),
        (Status.UNCERTAIN, Outcome.UNKNOWN, 0, True, Progress.UNCLEAR),
        (Status.UNCERTAIN, Outcome.UNKNOWN, 3600, True, Progress.UNCLEAR),
        (Status.SENT, Outcome.UNKNOWN, 0, True, Progress.SENT),
        (Status.SENT, Outcome.UNKNOWN, REPORTED_S + 1, True, Progress.UNREPORTED),
        (Status.SENT, Outcome.UNKNOWN, 0, False, Progress.UNREPORTED),
        (Status.SENT, Outcome.DEFERRED, 0, True, Progress.DEFERRED),
        (Status.SENT, Outcome.DEFERRED, REPORTED_S + 1, True, Progress.DEFERRED),
        (Status.SENT, Outcome.DELIVERED, 0, True, Progress.DELIVERED),
        (Status.SENT, Outcome.DELIVERED, 0, False, Progress.DELIVERED),
        (Status.SENT, Outcome.COMPLAINED, 0, True, Progress.DELIVERED),
        (Status.SENT, Outcome.BOUNCED, 0, True, Progress.REFUSED),
        (Status.SENT, Outcome.REJECTED, 0, True, Progress.REFUSED),
        (Status.SUPPRESSED, Outcome.UNKNOWN, 0, True, Progress.UNSENDABLE),
        (Status.DEAD, Outcome.BOUNCED, 0, True, Progress.REFUSED),
        (Status.DEAD, Outcome.UNKNOWN, 0, True, Progress.FAILED),
        (Status.EXPIRED, Outcome.UNKNOWN, 0, True, Progress.FAILED),
        (Status.CANCELLED, Outcome.UNKNOWN, 0, True, Progress.FAILED),
    ],
)
def test_what_is_told(status, outcome, age_s, reports, told):
    assert progress_of(status, outcome, age_s=age_s, reports=reports) is told


def test_nothing_that_can_be_true_is_left_out():
    for status, outcome, age_s, reports in product(Status, Outcome, (0.0, 60.0, 3600.0), (True, False)):
        told = progress_of(status, outcome, age_s=age_s, reports=reports)
        assert told in Progress
        # Nobody is told that an email was sent which was not.
        if told in {Progress.SENT, Progress.UNREPORTED, Progress.DEFERRED, Progress.DELIVERED}:
            assert status is Status.SENT


def test_nobody_waits_for_ever():
    for status, outcome, reports in product(Status, Outcome, (True, False)):
        assert progress_of(status, outcome, age_s=3600, reports=reports) not in {Progress.WAITING, Progress.SENT}
