"""What a task reports to Celery about its messages."""

from collections import Counter

import pytest

from notifications.delivery.fate import Fate
from notifications.delivery.report import CLAIM_LOST, MOST_CAUSES, DeliveryReport, conclude
from notifications.rules.states import Status
from notifications.runtime.task_errors import ClaimedError, DeadError, QueuedError, UncertainError

SENT, DEAD = Fate(Status.SENT), Fate(Status.DEAD, "ses/MessageRejected")
UNCERTAIN = Fate(Status.UNCERTAIN, "response lost (ses/timeout)")


def report(*fates, size=1, **counts):
    return DeliveryReport(size=size, counts=Counter(counts), fates=Counter(fates))


@pytest.mark.parametrize(
    ("fate", "result"),
    [
        (Fate(Status.SENT, "ses 0100-1"), "sent: ses 0100-1"),
        (Fate(Status.CANCELLED, "the account is closed"), "cancelled: the account is closed"),
        (Fate(Status.SUPPRESSED, "hard bounce"), "suppressed: hard bounce"),
        (Fate(Status.EXPIRED, "it expired before it could be sent"), "expired: it expired before it could be sent"),
    ],
)
def test_message_that_ended_well_is_the_result(fate, result):
    assert conclude(report(fate)) == result


@pytest.mark.parametrize(
    ("fate", "error"),
    [
        (DEAD, DeadError("ses/MessageRejected")),
        (UNCERTAIN, UncertainError("response lost (ses/timeout)")),
        (Fate(Status.QUEUED, "ses/http-503"), QueuedError("ses/http-503")),
        (Fate(Status.SENDING, "before this task"), ClaimedError("before this task")),
    ],
)
def test_message_that_did_not_raises_an_error_that_says_so(fate, error):
    with pytest.raises(type(error)) as raised:
        conclude(report(fate))
    assert raised.value.args == error.args


def test_every_status_of_a_message_has_a_conclusion():
    for status in Status:
        try:
            assert status.value in conclude(report(Fate(status)))
        except (DeadError, UncertainError, QueuedError, ClaimedError):
            assert status in {Status.DEAD, Status.UNCERTAIN, Status.QUEUED, Status.SENDING}


def test_message_that_waits_for_a_reason_of_this_task_is_queued():
    with pytest.raises(QueuedError, match=r"^deferred$"):
        conclude(report(deferred=1))


def test_group_in_which_nothing_failed_is_counted():
    assert conclude(report(*[SENT] * 48, size=50, sent=48, deferred=2)) == "48 sent, 2 deferred"
    assert conclude(report(size=50)) == "nothing to do"


def test_group_in_which_some_died_says_how_many_of_how_many_and_why():
    said = "2 of 50 dead: ses/MessageRejected; 48 sent, 2 permanent"
    with pytest.raises(DeadError) as raised:
        conclude(report(*[SENT] * 48, DEAD, DEAD, size=50, sent=48, permanent=2))
    assert str(raised.value) == said


def test_group_in_which_some_are_uncertain():
    said = "1 of 2 uncertain: response lost (ses/timeout); 1 sent, 1 ambiguous"
    with pytest.raises(UncertainError) as raised:
        conclude(report(SENT, UNCERTAIN, size=2, sent=1, ambiguous=1))
    assert str(raised.value) == said


def test_group_names_both_and_a_few_causes():
    causes = [Fate(Status.DEAD, f"ses/{number}") for number in range(MOST_CAUSES + 1)]
    with pytest.raises(DeadError, match=r"^4 of 5 dead: ses/0, ses/1, ses/2, …; "):
        conclude(report(*causes, UNCERTAIN, size=5))


@pytest.mark.parametrize(
    ("done", "decides"),
    [
        (report(), False),
        (report(requeued=0), False),
        (report(deferred=1), True),
        (report(SENT), True),
        (report(**{CLAIM_LOST: 1}), False),
    ],
)
def test_report_decides_unless_another_task_may_have_the_message(done, decides):
    assert done.decides is decides
