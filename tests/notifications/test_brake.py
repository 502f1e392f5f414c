"""The bounce brake on real rows: sign-up, delivery, the provider's reports, and the next sign-up."""

import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.signals import account_event
from notifications import kinds
from notifications.delivery.attempt import deliver
from notifications.delivery.record import Carrier
from notifications.feedback.reading import read_due
from notifications.models import Message, ProviderEvent
from notifications.outbox import Draft, brake, broker, enqueue, enqueue_many, relay
from notifications.providers import registry
from notifications.states import Status, Stream
from tests.factories import MessageFactory, UserFactory
from tests.scripted_webhook import ScriptedWebhook

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]
CARRIER = Carrier(task_id="task-1", worker="test@here")
BOUNCES = 10


def sign_up(number):
    return User.objects.create_user(f"person{number}@example.com", "a password").messages.get()


def ask_for_reset(user):
    account_event.send(sender=User, kind="password-reset", user=user, address=user.email)
    return Message.objects.get(kind="password-reset", user=user)


def bounce(message, kind="hard"):
    return {"id": str(uuid4()), "kind": "bounced", "bounce": kind, "message": str(message.id)}


def bounced(count=BOUNCES, bounce="hard", **changes):
    """Mails that were sent a moment ago and bounced, as they lie in the tables."""
    for _ in range(count):
        message = MessageFactory(**{"status": Status.SENT, "sent_at": Now()} | changes)
        ProviderEvent.objects.create(
            provider="ses",
            event_id=uuid4(),
            payload={},
            state="applied",
            message=message,
            kind="bounced",
            bounce=bounce,
        )
    brake.forget()


def wait_s(message):
    return Message.objects.annotate(wait=F("due_at") - F("created_at")).get(id=message.id).wait.total_seconds()


def test_sign_ups_that_bounce_slow_the_next_ones_and_no_reset(client, provider, monkeypatch):
    monkeypatch.setitem(registry.WEBHOOKS, "scripted", ScriptedWebhook)
    first = [sign_up(number) for number in range(BOUNCES)]
    deliver([message.id for message in first], Stream.DEFAULT, CARRIER)
    assert len(provider.taken) == BOUNCES
    reports = json.dumps([bounce(message) for message in first])
    assert client.post("/webhooks/scripted/", reports, content_type="application/json").status_code == 200
    read_due()
    brake.forget()
    broker.client().flushdb()

    slowed = [sign_up(number) for number in range(100, 104)]
    reset = ask_for_reset(slowed[0].user)

    assert [round(wait_s(message)) for message in slowed] == [0, 10, 20, 30]
    assert {message.status_reason for message in slowed} == {brake.REASON}
    assert wait_s(reset) == 0
    # The first has its turn at once; the others are nobody's business before theirs.
    assert broker.depths() == {Stream.CRITICAL: 1, Stream.DEFAULT: 1, Stream.BULK: 0}
    ids = [message.id for message in [*slowed, reset]]
    assert str(deliver(ids, Stream.DEFAULT, CARRIER)) == "2 sent"
    Message.objects.filter(status=Status.QUEUED).update(due_at=F("due_at") - timedelta(seconds=10))
    Message.objects.filter(status=Status.QUEUED).update(relay_after=F("due_at"))
    assert relay.take_due(Stream.DEFAULT, 10) == [slowed[1].id]
    deliver(ids, Stream.DEFAULT, CARRIER)
    assert Message.objects.get(id=slowed[1].id).status_reason == ""
    assert Message.objects.filter(status=Status.QUEUED).count() == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"count": BOUNCES - 1},
        {"bounce": "soft"},
        {"bounce": "auto-reply"},
        # Somebody's own address, which is known to exist, and an announcement.
        {"kind": "password-reset"},
        {"kind": "product-news", "stream": "bulk"},
        {"sent_at": Now() - timedelta(minutes=61)},
    ],
)
def test_other_bounces_slow_nobody(changes):
    bounced(**changes)
    assert not brake.is_on()


def test_small_share_slows_nobody_until_it_has_begun(settings):
    settings.BOUNCE_BRAKE_SHARE = 0.4
    bounced()
    MessageFactory.create_batch(20, status=Status.SENT, sent_at=Now())
    assert not brake.is_on()
    # Somebody still stands in line: it was more a moment ago.
    MessageFactory(slowed_until=Now() + timedelta(seconds=30))
    brake.forget()
    assert brake.is_on()


@pytest.mark.parametrize("kind", [kind.name for kind in kinds.KINDS.values()])
def test_kinds_that_are_slowed(kind):
    bounced()
    user = UserFactory()
    user.refresh_from_db()
    enqueue(Draft(kind=kind, to=user.email, user=user))
    later = enqueue(Draft(kind=kind, to=user.email, user=user))
    slowed = {"welcome", "address-change", "account-exists"}
    assert (wait_s(later) > 0) is (kind in slowed)


def test_nobody_learns_from_the_pace_who_has_an_account():
    bounced()
    owner = UserFactory(confirmed_at="2026-01-01T00:00Z")
    owner.refresh_from_db()
    newcomer = UserFactory()
    took = []
    for draft in (
        Draft(kind="welcome", to=newcomer.email, user=newcomer),
        Draft(kind="account-exists", to=owner.email, user=owner),
    ):
        brake.forget()
        with CaptureQueriesContext(connection) as queries:
            message = enqueue(draft)
        took.append([query["sql"].split("VALUES")[0].split(" IN ")[0] for query in queries])
        message.refresh_from_db()
        assert (message.status, message.status_reason) == ("queued", brake.REASON)
    assert took[0] == took[1]


def test_many_at_once_stand_in_line_behind_each_other():
    bounced()
    users = UserFactory.create_batch(4)
    many = enqueue_many([Draft(kind="welcome", to=user.email, user=user) for user in users[:3]])
    last = enqueue(Draft(kind="welcome", to=users[3].email, user=users[3]))
    assert [round(wait_s(message)) for message in [*many, last]] == [0, 10, 20, 30]


def test_those_who_come_at_the_same_moment_get_a_place_each():
    bounced()
    assert brake.is_on()
    users = UserFactory.create_batch(6)

    def come(number):
        try:
            with transaction.atomic():
                enqueue(Draft(kind="welcome", to=f"person{number}@example.com", user=users[number]))
                time.sleep(0.01)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(come, range(6)))
    places = Message.objects.filter(slowed_until__isnull=False).order_by("slowed_until")
    times = list(places.values_list("slowed_until", flat=True))
    assert all(later - earlier > timedelta(seconds=9) for earlier, later in pairwise(times))


def test_one_that_is_frozen_in_line_keeps_nobody_from_signing_up():
    bounced()
    held, let_go = threading.Event(), threading.Event()
    anybody = UserFactory()

    def freeze():
        try:
            with transaction.atomic():
                assert enqueue(Draft(kind="welcome", to="frozen@example.com", user=anybody))
                held.set()
                assert let_go.wait(30)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        frozen = pool.submit(freeze)
        assert held.wait(30)
        assert enqueue(Draft(kind="welcome", to="next@example.com", user=anybody))
        assert not frozen.done()
        let_go.set()
        frozen.result()


def test_who_asks_once_more_keeps_the_better_place(provider):
    bounced()
    user = UserFactory(new_email="new@example.com", confirmed_at="2026-01-01T00:00Z")
    first, again = (enqueue(Draft(kind="address-change", to=user.new_email, user=user)) for _ in range(2))
    assert (round(wait_s(first)), round(wait_s(again))) == (0, 10)
    assert str(deliver([first.id], Stream.CRITICAL, CARRIER)) == "1 sent"


def test_mail_to_nobody_takes_nobodys_place():
    """Whoever asks for links to addresses without an account, by the hundred, must not keep people waiting."""
    bounced()
    nobodys = enqueue_many([Draft(kind="welcome", to=f"nobody{number}@example.com") for number in range(20)])
    assert {round(wait_s(message)) for message in nobodys} == {0}
    people = UserFactory.create_batch(2)
    ours = enqueue_many([Draft(kind="welcome", to=user.email, user=user) for user in people])
    assert [round(wait_s(message)) for message in ours] == [0, 10]


def test_operator_is_told_once_when_it_begins_and_once_when_it_ends(caplog):
    caplog.set_level(logging.INFO, logger="notifications.outbox.brake")
    assert brake.watch() is False
    bounced()
    assert [brake.watch(), brake.watch()] == [True, True]
    Message.objects.update(sent_at=Now() - timedelta(hours=2))
    assert [brake.watch(), brake.watch()] == [False, False]
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert [level for level, _ in told] == ["ERROR", "WARNING"]
    assert told[0][1].startswith(
        "the bounce brake is on: 10 of 10 mails to unconfirmed addresses bounced within 60 min"
    )


def test_operator_sees_it(capsys, admin_client):
    page = admin_client.get("/admin/status/").content.decode()
    assert "Sign-up mail that bounced within 60 min" in page
    assert "mails to unconfirmed addresses bounced" not in page
    bounced()
    enqueue_many([Draft(kind="welcome", to=user.email, user=user) for user in UserFactory.create_batch(3)])
    with pytest.raises(SystemExit):
        call_command("status")
    said = capsys.readouterr().out
    assert "10 of 10 mails to unconfirmed addresses bounced within 60 min: sign-up mail is slowed to 6 a minute" in said
    assert "sign-up mail that bounced within 60 min: 10 of 10; slowed, the last in line in 20 s" in said
    page = admin_client.get("/admin/status/").content.decode()
    assert "10 of 10 mails to unconfirmed addresses bounced" in page
    assert "last in line in 20 s" in page
