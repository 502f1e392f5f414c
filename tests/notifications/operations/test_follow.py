"""Following a message, and the conclusion from its last state."""

import pytest
from django.utils import timezone

from notifications.models import Message
from notifications.operations.follow import REACHED, WAITING, Sighting, conclusion, follow
from notifications.rules.outcomes import Outcome
from notifications.rules.states import Status
from tests.factories import MessageFactory


def change(message, **changes):
    Message.objects.filter(id=message.id).update(**changes)


@pytest.mark.django_db
def test_each_change_is_seen_until_the_outcome_is_known():
    message = MessageFactory()
    seen = []
    for _, sighting in follow(message.id, wait_s=30):
        seen.append(sighting)
        match len(seen):
            case 1:
                change(message, status_reason="rate-limited: http-429", attempts=1)
            case 2:
                change(
                    message, status=Status.SENT, sent_at=timezone.now(), provider="ses", attempts=2, status_reason=""
                )
            case 3:
                change(message, outcome=Outcome.DEFERRED)
            case 4:
                change(message, outcome=Outcome.DELIVERED)
    assert [(sighting.status, sighting.reason, sighting.provider, sighting.outcome) for sighting in seen] == [
        (Status.QUEUED, "", "", Outcome.UNKNOWN),
        (Status.QUEUED, "rate-limited: http-429", "", Outcome.UNKNOWN),
        (Status.SENT, "", "ses", Outcome.UNKNOWN),
        (Status.SENT, "", "ses", Outcome.DEFERRED),
        (Status.SENT, "", "ses", Outcome.DELIVERED),
    ]
    assert [sighting.attempts for sighting in seen] == [0, 1, 2, 2, 2]


@pytest.mark.django_db
def test_state_is_read_at_least_once():
    message = MessageFactory()
    assert [sighting.status for _, sighting in follow(message.id, wait_s=0)] == [Status.QUEUED]


@pytest.mark.django_db
@pytest.mark.parametrize("status", [Status.SUPPRESSED, Status.EXPIRED, Status.CANCELLED, Status.DEAD])
def test_following_ends_with_the_message(status):
    message = MessageFactory(status=status)
    assert len(list(follow(message.id, wait_s=3600))) == 1


def test_every_state_has_a_conclusion():
    assert set(REACHED) | {Outcome.UNKNOWN, Outcome.DEFERRED} == set(Outcome)
    ended = {status for status in Status if Sighting(status=status).settled}
    assert set(WAITING) | ended == set(Status)
    for status in Status:
        assert conclusion(Sighting(status=status), wait_s=60).text


@pytest.mark.parametrize(
    ("last", "level", "code"),
    [
        (Sighting(status=Status.QUEUED), "bad", Status.QUEUED),
        (Sighting(status=Status.UNCERTAIN), "bad", Status.UNCERTAIN),
        (Sighting(status=Status.SENT, provider="ses"), "note", Status.SENT),
        (Sighting(status=Status.SENT, outcome=Outcome.DEFERRED), "note", Outcome.DEFERRED),
        (Sighting(status=Status.SENT, outcome=Outcome.DELIVERED), "ok", Outcome.DELIVERED),
        (Sighting(status=Status.SENT, outcome=Outcome.BOUNCED), "bad", Outcome.BOUNCED),
        (Sighting(status=Status.SUPPRESSED, reason="hard bounce"), "bad", Status.SUPPRESSED),
        (Sighting(status=Status.DEAD, outcome=Outcome.DELIVERED), "ok", Outcome.DELIVERED),
    ],
)
def test_last_state_decides_the_conclusion(last, level, code):
    found = conclusion(last, wait_s=5)
    assert (found.level.value, found.code) == (level, code)
    assert last.reason in found.text


@pytest.mark.parametrize(
    ("provider", "status", "is_usual"),
    [("ses", Status.SENT, True), ("smtp", Status.SENT, False), ("smtp", Status.QUEUED, True)],
)
def test_hint_fits_providers_without_reports(provider, status, is_usual):
    hint = conclusion(Sighting(status=status, provider=provider), wait_s=5).hint
    assert (hint == WAITING[status][1], provider in hint) == (is_usual, not is_usual)
