"""The purge deletes only accounts that signed up, were sent a link and never confirmed."""

import logging
from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import uuid4

import psycopg
import pytest
from django.core import serializers
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from accounts import purging
from accounts.models import User
from accounts.purging import ABANDONED, purge_unconfirmed, reason_to_purge
from notifications.models import Message
from notifications.outbox import brake_queue
from notifications.rules.states import Status
from tests.factories import MessageFactory, UserFactory

OLD = timedelta(days=8)
NOW = datetime(2026, 3, 20, tzinfo=UTC)


def signed_up(**changes):
    """Create a user who signed up by the form eight days ago."""
    user = UserFactory(**{"date_joined": timezone.now() - OLD, "sign_up": uuid4()} | changes)
    user.refresh_from_db()
    return user


def sent(user, age=OLD, **changes):
    return MessageFactory(user=user, **{"status": "sent", "sent_at": Now() - age, "created_at": Now() - age} | changes)


@pytest.mark.parametrize(
    ("user", "link_sent_at", "deleted"),
    [
        (User(), None, False),
        (User(), NOW, False),
        (User(), NOW - timedelta(days=6), False),
        (User(), NOW - timedelta(days=8), True),
        (User(replaced_at=NOW), None, True),
        (User(replaced_at=NOW), NOW, True),
    ],
)
def test_reason_to_purge(user, link_sent_at, deleted):
    assert bool(reason_to_purge(user, link_sent_at, NOW)) is deleted


def test_account_with_a_valid_link_is_kept(settings):
    settings.CONFIRMATION_TIMEOUT = timedelta(days=30)
    assert not reason_to_purge(User(), NOW - timedelta(days=8), NOW)
    assert reason_to_purge(User(), NOW - timedelta(days=31), NOW)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "deleted"),
    [
        ({}, 1),
        ({"confirmed_at": timezone.now() - OLD}, 0),
        ({"last_login": timezone.now() - OLD}, 0),
        ({"is_staff": True}, 0),
        ({"is_superuser": True}, 0),
        # An administrator has deactivated it instead of deleting it.
        ({"is_active": False}, 0),
        # Imported or added by an administrator, and sent a link.
        ({"sign_up": None}, 0),
    ],
)
def test_only_unconfirmed_sign_ups_are_deleted(changes, deleted):
    sent(signed_up(**changes))
    assert purge_unconfirmed() == deleted
    assert User.objects.count() == 1 - deleted


@pytest.mark.django_db
def test_imported_users_are_kept(django_capture_on_commit_callbacks):
    long_ago = timezone.now() - timedelta(days=900)
    User.objects.bulk_create(User(email=f"bulk{n}@example.com", date_joined=long_ago) for n in range(50))
    User.objects.create_user("shell@example.com", date_joined=long_ago)
    fixture = serializers.serialize("json", [User(pk=9_000, email="fixture@example.com", date_joined=long_ago)])
    for restored in serializers.deserialize("json", fixture):
        restored.save()
    call_command("enqueue_missing", stdout=StringIO())
    Message.objects.update(status="sent", sent_at=Now() - OLD, created_at=Now() - OLD)
    assert purge_unconfirmed() == 0
    assert User.objects.count() == 52


@pytest.mark.django_db
@pytest.mark.parametrize("status", set(Status) - {Status.SENT})
def test_account_without_a_sent_link_is_kept(status):
    extra = {"dead": {"died_at": Now()}, "sending": {"lease_token": uuid4(), "lease_until": Now()}}
    MessageFactory(user=signed_up(), status=status, created_at=Now() - OLD, **extra.get(status, {}))
    assert purge_unconfirmed() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize(("ended", "deleted"), [(OLD, 1), (timedelta(days=6), 0)])
def test_sign_up_dropped_by_the_bounce_brake_is_deleted_like_a_sent_one(full, ended, deleted):
    message = MessageFactory(
        user=signed_up(), slowed_until=Now() + timedelta(days=1), created_at=Now() - OLD, expires_at=Now() - ended
    )
    assert purge_unconfirmed() == 0
    assert brake_queue.drop(reason=brake_queue.FULL if full else brake_queue.DROPPED) == 1
    assert purge_unconfirmed() == deleted
    message.refresh_from_db()
    assert (message.user is None) is bool(deleted)


@pytest.mark.django_db
def test_new_link_after_a_drop_restarts_the_time():
    user = signed_up()
    MessageFactory(user=user, slowed_until=Now() + timedelta(days=1), expires_at=Now() - OLD)
    brake_queue.drop()
    sent(user, age=timedelta(days=2))
    assert purge_unconfirmed() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "deleted"),
    [
        # A new request restarts the time.
        ({"age": timedelta(days=2)}, 0),
        ({"age": timedelta(days=2), "kind": "password-reset"}, 0),
        ({"status": "queued", "sent_at": None}, 0),
        ({"status": "uncertain", "sent_at": None}, 0),
        ({"status": "cancelled", "sent_at": None}, 1),
        ({"kind": "product-news", "age": timedelta(days=2)}, 1),
    ],
)
def test_newest_link_counts(changes, deleted):
    user = signed_up()
    sent(user)
    sent(user, **changes)
    assert purge_unconfirmed() == deleted


@pytest.mark.django_db
def test_link_to_another_address_does_not_count():
    sent(signed_up(), to_address="typo@example.com")
    assert purge_unconfirmed() == 0


@pytest.mark.django_db
def test_real_sign_up_is_deleted_eight_days_after_the_link_was_sent(client):
    client.post(reverse("accounts:sign-up"), {"email": "ada@example.com", "password": "correct horse battery"})
    User.objects.update(date_joined=Now() - OLD)
    assert purge_unconfirmed() == 0
    Message.objects.update(status="sent", sent_at=Now() - OLD)
    assert purge_unconfirmed() == 1


@pytest.mark.django_db
def test_abandoned_account_is_deleted_soon():
    signed_up(date_joined=timezone.now(), replaced_at=timezone.now())
    assert purge_unconfirmed() == 1


@pytest.mark.django_db
def test_messages_are_anonymized_and_no_email_is_sent():
    message = sent(signed_up())
    assert purge_unconfirmed() == 1
    message.refresh_from_db()
    assert (message.user, message.to_address) == (None, "")
    assert Message.objects.count() == 1


@pytest.mark.django_db
def test_log_has_id_and_reason_without_the_address(caplog):
    caplog.set_level(logging.INFO, logger="accounts.purging")
    user, other = signed_up(), signed_up(replaced_at=timezone.now())
    sent(user)
    reason = purging.reason_to_purge(user, timezone.now() - OLD, timezone.now())
    assert purge_unconfirmed() == 2
    lines = [record.args for record in caplog.records]
    assert sorted(lines) == sorted([(user.pk, reason), (other.pk, ABANDONED)])
    assert "@" not in caplog.text


@pytest.mark.django_db
def test_dry_run_lists_and_deletes_nothing():
    user = signed_up()
    sent(user)
    out = StringIO()
    call_command("purge_unconfirmed", dry_run=True, stdout=out)
    assert str(user.pk) in out.getvalue()
    assert user.email not in out.getvalue()
    assert User.objects.exists()
    call_command("purge_unconfirmed", stdout=out)
    assert not User.objects.exists()


@pytest.mark.django_db
def test_one_run_goes_through_all_pages(monkeypatch):
    monkeypatch.setattr(purging, "PAGE", 3)
    for number in range(10):
        user = signed_up()
        if number != 4:
            sent(user)
    assert purge_unconfirmed() == 9


@pytest.mark.django_db
def test_run_ends_at_its_time_limit():
    for _ in range(3):
        sent(signed_up())
    assert purge_unconfirmed(time_limit_s=-1) == 0
    assert purge_unconfirmed() == 3


@pytest.mark.django_db(transaction=True)
def test_account_confirmed_during_the_purge_is_kept():
    user, other = signed_up(), signed_up()
    sent(user)
    sent(other)
    parameters = connection.get_connection_params() | {"cursor_factory": None, "context": None}
    with psycopg.connect(**parameters) as confirming:
        confirming.execute("UPDATE accounts_user SET confirmed_at = now() WHERE id = %s", [user.pk])
        # Not committed: in this transaction the account is unconfirmed.
        assert purge_unconfirmed() == 1
    user.refresh_from_db()
    assert user.confirmed_at is not None
    assert not User.objects.filter(pk=other.pk).exists()
    assert purge_unconfirmed() == 0


@pytest.mark.django_db
def test_purge_reads_pages_by_the_index():
    # Most users are confirmed: the purge must not read their rows.
    now = timezone.now()
    User.objects.bulk_create(User(email=f"p{n}@example.com", confirmed_at=now, sign_up=uuid4()) for n in range(5000))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_user")
    plan = purging._candidates().filter(pk__gt=0).order_by("pk")[:200].explain()
    assert "accounts_user_unconfirmed_idx" in plan
