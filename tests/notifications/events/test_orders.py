"""Events in any order, repeated, late, of other applications or malformed."""

import itertools
from uuid import uuid4

import pytest
from django.db.models.functions import Now

from notifications.events import ingest
from notifications.events.apply import read_due
from notifications.models import Message, ProviderEvent, Suppression
from notifications.providers.base.payload import storable
from notifications.providers.base.webhook import RawEvent
from notifications.rules.outcomes import Outcome
from notifications.rules.states import Status
from notifications.rules.suppression import Reason
from tests.factories import MessageFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

ADDRESS = "ada@example.com"


def sent(status=Status.SENT, **more):
    fields = {"provider": "sendgrid", "to_address": ADDRESS, **more}
    fields["user"] = UserFactory(email=fields["to_address"])
    return MessageFactory(status=status, sent_at=Now() if status is Status.SENT else None, **fields)


def say(event, message=None, **more):
    known = {"mailroom_message_id": str(message.id), "mailroom_attempt": "1"} if message else {}
    payload = {"event": event, "email": ADDRESS, **known, **more}
    ingest.store("sendgrid", [RawEvent(str(uuid4()), payload)])


def in_force(address=ADDRESS):
    return {row.reason for row in Suppression.objects.in_force([address])}


def outcome(message):
    return Message.objects.get(id=message.id).outcome


WORDS = [
    ("processed", {}),
    ("deferred", {}),
    ("delivered", {}),
    ("bounce", {"type": "bounce", "status": "5.1.1", "reason": "550 5.1.1 no such user"}),
    ("spamreport", {}),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(5)))[::7])
@pytest.mark.parametrize("together", [True, False])
def test_order_of_events_does_not_matter(order, together):
    message = sent()
    for place in [*order, *order]:
        event, more = WORDS[place]
        say(event, message, **more)
        if not together:
            read_due()
    read_due()
    assert outcome(message) == Outcome.COMPLAINED
    assert in_force() == {Reason.HARD_BOUNCE, Reason.COMPLAINT}
    assert Suppression.objects.count() == 2


@pytest.mark.parametrize("order", [("unsubscribe", "spamreport"), ("spamreport", "unsubscribe")])
def test_complaint_and_unsubscription_both_count(order):
    message = sent()
    for event in order:
        say(event, message)
        read_due()
    assert in_force() == {Reason.UNSUBSCRIBED, Reason.COMPLAINT}
    message.user.refresh_from_db()
    assert not message.user.wants_news


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.EXPIRED, Status.SUPPRESSED, Status.DEAD, Status.QUEUED])
def test_bounce_of_a_message_that_is_not_sent(status):
    message = sent(status)
    say("bounce", message, type="bounce", status="5.1.1")
    read_due()
    assert Message.objects.get(id=message.id).status == Status.SENT
    assert in_force() == {Reason.HARD_BOUNCE}


@pytest.mark.parametrize("email", ["ADA@EXAMPLE.COM", "Ada <ada@example.com>", " ada@Example.com "])
def test_case_of_an_address_does_not_matter(email):
    sent()
    say("bounce", email=email, type="bounce", status="5.1.1")
    read_due()
    assert in_force() == {Reason.HARD_BOUNCE}


@pytest.mark.parametrize("email", ["ada+news@example.com", "a.da@example.com", "ada@example.co", "ada@sub.example.com"])
def test_other_address_is_another_address(email):
    sent()
    say("bounce", email=email, type="bounce", status="5.1.1")
    read_due()
    assert ProviderEvent.objects.get().state == "foreign"
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("email", ["ada@b\u00fccher.example", "ada@B\u00dcCHER.example", "ada@xn--bcher-kva.example"])
def test_all_spellings_of_a_domain_are_equal(email):
    sent(to_address="ada@xn--bcher-kva.example")
    say("bounce", email=email, type="bounce", status="5.1.1")
    read_due()
    assert in_force("ada@xn--bcher-kva.example") == {Reason.HARD_BOUNCE}


ODD: list[object] = [
    None,
    0,
    1.5,
    True,
    [],
    {},
    [[]],
    {"a": 1},
    "x" * 100_000,
    "\u0000",
    "\ud800",
    10**300,
    -1,
    "9" * 400,
]


FIELDS = [
    *("event", "email", "type", "status", "reason", "timestamp", "sg_message_id", "smtp-id", "anymail_id"),
    *("mailroom_message_id", "mailroom_attempt", "bounce_classification"),
]


@pytest.mark.parametrize("field", FIELDS)
def test_odd_value_stops_no_other_event(field):
    message, other = sent(), sent(to_address="eve@example.com")
    for value in map(storable, ODD):
        for known in ({"mailroom_message_id": str(message.id)}, {}):
            event = {"event": "bounce", "email": ADDRESS, **known, field: value}
            ingest.store("sendgrid", [RawEvent(str(uuid4()), event)])
    say("spamreport", other, email="eve@example.com")
    read_due()
    assert not ProviderEvent.objects.filter(state="stored").exists()
    assert outcome(other) == Outcome.COMPLAINED
    assert in_force("eve@example.com") == {Reason.COMPLAINT}
