"""The bounce brake on real rows: sign-up, delivery, the provider's reports, and the next sign-up."""

import json
import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models.functions import Now
from django.urls import reverse

from accounts import emails
from accounts.models import User
from notifications import kinds
from notifications.bounce_brake import brake
from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import deliver
from notifications.events.apply import read_due
from notifications.models import Message
from notifications.operations.finding import Code
from notifications.outbox import Draft, brake_queue, enqueue, enqueue_many, publish, relay
from notifications.rules.states import Status, Stream
from tests.factories import MessageFactory, UserFactory
from tests.notifications.bounce_brake.bouncing import BOUNCES, bounce, bounced, let_minutes_pass, waiting
from tests.scripted_webhook import ScriptedWebhook

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


CARRIER = Carrier(task_id="task-1", worker="test@here")


def sign_up(number):
    return User.objects.create_user(f"person{number}@example.com", "a password").messages.get()


def ask_for_reset(user):
    emails.enqueue_email(emails.PASSWORD_RESET, user, user.email)
    return Message.objects.get(kind="password-reset", user=user)


def waits(message):
    return Message.objects.filter(id=message.id, status=Status.QUEUED, slowed_until__gt=Now()).exists()


def test_bounced_sign_ups_slow_the_next_ones_and_no_reset(client, provider, registered):
    registered("scripted", webhook=ScriptedWebhook)
    first = [sign_up(number) for number in range(BOUNCES)]
    deliver([message.id for message in first], Stream.DEFAULT, CARRIER)
    assert len(provider.taken) == BOUNCES
    reports = json.dumps([bounce(message) for message in first])
    assert client.post("/webhooks/scripted/", reports, content_type="application/json").status_code == 200
    read_due()
    brake.reset()
    publish.client().flushdb()

    slowed = [sign_up(number) for number in range(100, 104)]
    reset = ask_for_reset(slowed[0].user)

    assert all(waits(message) for message in slowed)
    assert {message.status_reason for message in slowed} == {brake.REASON}
    assert not waits(reset)
    assert publish.queue_depths() == {Stream.CRITICAL: 1, Stream.DEFAULT: 0, Stream.BULK: 0}
    ids = [message.id for message in [*slowed, reset]]
    assert str(deliver(ids, Stream.DEFAULT, CARRIER)) == "1 sent"
    # The relay's next round releases the first message only.
    assert relay.run_once().published == {Stream.DEFAULT: 1}
    assert relay.run_once().published == {}
    assert str(deliver(ids, Stream.DEFAULT, CARRIER)) == "1 sent"
    let_minutes_pass(1 / 6)
    assert relay.run_once().published == {Stream.DEFAULT: 1}
    deliver(ids, Stream.DEFAULT, CARRIER)
    assert Message.objects.get(id=slowed[1].id).status_reason == ""
    assert Message.objects.filter(status=Status.QUEUED).count() == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"count": BOUNCES - 1},
        {"bounce": "soft"},
        {"bounce": "auto-reply"},
        # An address that is known to exist, and an announcement.
        {"kind": "password-reset"},
        {"kind": "product-news", "stream": "bulk"},
        {"sent_at": Now() - timedelta(minutes=61)},
    ],
)
def test_other_bounces_slow_no_email(changes):
    bounced(**changes)
    assert not brake.is_on()


def test_small_share_slows_no_email_unless_the_brake_is_on(settings):
    settings.BOUNCE_BRAKE_SHARE = 0.4
    bounced()
    MessageFactory.create_batch(20, status=Status.SENT, sent_at=Now())
    assert not brake.is_on()
    # A message still waits, so the share was higher before.
    MessageFactory(slowed_until=Now() + timedelta(seconds=30))
    brake.reset()
    assert brake.is_on()


@pytest.mark.parametrize("kind", [kind.name for kind in kinds.KINDS.values()])
def test_kinds_that_are_slowed(kind):
    bounced()
    user = UserFactory()
    user.refresh_from_db()
    message = enqueue(Draft(kind=kind, to=user.email, user=user))
    slowed = {"welcome", "address-change", "account-exists"}
    assert waits(message) is (kind in slowed)


def test_pace_does_not_reveal_accounts():
    bounced()
    owner = UserFactory(confirmed_at="2026-01-01T00:00Z")
    owner.refresh_from_db()
    newcomer = UserFactory()
    took = []
    for draft in (
        Draft(kind="welcome", to=newcomer.email, user=newcomer),
        Draft(kind="account-exists", to=owner.email, user=owner),
    ):
        brake.reset()
        asked = []

        def note(execute, sql, *rest, asked=asked):
            asked.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(note):
            message = enqueue(draft)
        took.append(asked)
        message.refresh_from_db()
        assert (message.status, message.status_reason) == ("queued", brake.REASON)
    assert took[0] == took[1]


def test_frozen_sign_up_blocks_no_other_sign_up():
    bounced()
    held, resume = threading.Event(), threading.Event()
    user = UserFactory()

    def freeze():
        try:
            with transaction.atomic():
                assert enqueue(Draft(kind="welcome", to="frozen@example.com", user=user))
                held.set()
                assert resume.wait(30)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        frozen = pool.submit(freeze)
        assert held.wait(30)
        assert enqueue(Draft(kind="welcome", to="next@example.com", user=user))
        assert not frozen.done()
        resume.set()
        frozen.result()


def test_user_who_asks_again_keeps_the_better_place(provider):
    bounced()
    user = UserFactory(new_email="new@example.com", confirmed_at="2026-01-01T00:00Z")
    first, again = (enqueue(Draft(kind="address-change", to=user.new_email, user=user)) for _ in range(2))
    assert brake_queue.release_due() == 1
    assert (waits(first), waits(again)) == (False, True)
    assert str(deliver([first.id], Stream.CRITICAL, CARRIER)) == "1 sent"


def test_email_without_an_account_takes_no_place():
    """A client that requests links to hundreds of addresses without an account must not delay users."""
    bounced()
    none = enqueue_many([Draft(kind="welcome", to=f"unknown{number}@example.com") for number in range(20)])
    assert not any(waits(message) for message in none)
    assert waiting() == []


def test_changes_of_the_brake_are_logged_once(caplog):
    caplog.set_level(logging.INFO, logger="notifications.bounce_brake.brake")
    assert brake.log_changes() is False
    bounced()
    assert [brake.log_changes(), brake.log_changes()] == [True, True]
    Message.objects.update(sent_at=Now() - timedelta(hours=2))
    assert [brake.log_changes(), brake.log_changes()] == [False, False]
    lines = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert [level for level, _ in lines] == ["ERROR", "WARNING"]
    assert re.findall(r"\d+", lines[0][1])[:3] == ["10", "10", "60"]


def test_status_shows_the_brake(capsys, admin_client):
    assert "10 of 10" not in admin_client.get(reverse("admin:notifications_dashboard")).content.decode()
    bounced()
    enqueue_many([Draft(kind="welcome", to=user.email, user=user) for user in UserFactory.create_batch(3)])
    with pytest.raises(SystemExit):
        call_command("status", "--json")
    assert Code.BRAKE in json.loads(capsys.readouterr().out)["codes"]
    with pytest.raises(SystemExit):
        call_command("status")
    for said in (capsys.readouterr().out, admin_client.get(reverse("admin:notifications_dashboard")).content.decode()):
        assert "10 of 10" in said
        assert "30 s" in said
