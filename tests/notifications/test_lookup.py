"""The progress that users see, for every status and outcome."""

from itertools import product

import pytest

from notifications import Progress
from notifications.rules.outcomes import Outcome
from notifications.rules.progress import REPORTED_S, USUAL_S, progress_of
from notifications.rules.states import Status


@pytest.mark.parametrize(
    ("status", "outcome", "age_s", "reports", "expected"),
    [
        (Status.QUEUED, Outcome.UNKNOWN, 0, True, Progress.WAITING),
        (Status.QUEUED, Outcome.UNKNOWN, USUAL_S + 1, True, Progress.DELAYED),
        # Without an acceptance, there is nothing to report.
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
def test_progress(status, outcome, age_s, reports, expected):
    assert progress_of(status, outcome, age_s=age_s, reports=reports) is expected


def test_every_combination_has_a_progress():
    for status, outcome, age_s, reports in product(Status, Outcome, (0.0, 60.0, 3600.0), (True, False)):
        expected = progress_of(status, outcome, age_s=age_s, reports=reports)
        assert expected in Progress
        # Only a sent email is shown as sent.
        if expected in {Progress.SENT, Progress.UNREPORTED, Progress.DEFERRED, Progress.DELIVERED}:
            assert status is Status.SENT


def test_no_user_waits_forever():
    for status, outcome, reports in product(Status, Outcome, (True, False)):
        assert progress_of(status, outcome, age_s=3600, reports=reports) not in {Progress.WAITING, Progress.SENT}
