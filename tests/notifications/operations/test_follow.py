"""A message that is watched, on real rows; and what its last state says."""

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
        seen.append(str(sighting))
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
    assert seen == [
        "queued",
        "queued (rate-limited: http-429)",
        "sent by ses attempt 2",
        "sent by ses attempt 2 → deferred",
        "sent by ses attempt 2 → delivered",
    ]


@pytest.mark.django_db
def test_time_is_over_and_there_was_always_one_look():
    message = MessageFactory()
    assert [sighting.status for _, sighting in follow(message.id, wait_s=0)] == [Status.QUEUED]


@pytest.mark.django_db
@pytest.mark.parametrize("status", [Status.SUPPRESSED, Status.EXPIRED, Status.CANCELLED, Status.DEAD])
def test_end_is_not_waited_beyond(status):
    message = MessageFactory(status=status)
    assert len(list(follow(message.id, wait_s=3600))) == 1


def test_every_state_has_its_verdict():
    assert set(REACHED) | {Outcome.UNKNOWN, Outcome.DEFERRED} == set(Outcome)
    ended = {status for status in Status if Sighting(status=status).settled}
    assert set(WAITING) | ended == set(Status)
    for status in Status:
        assert conclusion(Sighting(status=status), wait_s=60).text


@pytest.mark.parametrize(
    ("last", "expected", "words"),
    [
        (Sighting(status=Status.QUEUED), "bad", "still queued: no worker has sent it within 5 s"),
        (Sighting(status=Status.UNCERTAIN), "bad", "may have the mail"),
        (Sighting(status=Status.SENT, provider="ses"), "note", "handed over, no word of delivery within 5 s"),
        (Sighting(status=Status.SENT, outcome=Outcome.DEFERRED), "note", "wants it later"),
        (Sighting(status=Status.SENT, outcome=Outcome.DELIVERED), "ok", "has taken it"),
        (Sighting(status=Status.SENT, outcome=Outcome.BOUNCED), "bad", "bounced"),
        (Sighting(status=Status.SUPPRESSED, reason="hard bounce"), "bad", "it ended as suppressed: hard bounce"),
        (Sighting(status=Status.DEAD, outcome=Outcome.DELIVERED), "ok", "has taken it"),
    ],
)
def test_last_state_says_what_was_reached(last, expected, words):
    found = conclusion(last, wait_s=5)
    assert (found.level.value, words in found.text) == (expected, True), found


@pytest.mark.parametrize(
    ("provider", "status", "words"),
    [
        ("ses", Status.SENT, "provider's webhook"),
        ("smtp", Status.SENT, "Nothing is reported back by smtp"),
        ("smtp", Status.QUEUED, "workers and the relay"),
    ],
)
def test_word_of_delivery_is_missed_only_where_there_could_be_one(provider, status, words):
    assert words in conclusion(Sighting(status=status, provider=provider), wait_s=5).hint
