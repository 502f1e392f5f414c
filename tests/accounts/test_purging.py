"""Accounts that were never confirmed nor used are deleted, and nobody who is just coming."""

from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from accounts.purging import purge_unconfirmed
from notifications import tasks
from notifications.models import Message
from tests.factories import MessageFactory, UserFactory

OLD = timedelta(days=8)


def old_user(**changes):
    user = UserFactory(date_joined=timezone.now() - OLD, **changes)
    user.refresh_from_db()
    return user


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "deleted"),
    [
        ({}, 1),
        ({"date_joined": timezone.now() - timedelta(days=6)}, 0),
        ({"confirmed_at": timezone.now() - OLD}, 0),
        ({"last_login": timezone.now() - OLD}, 0),
        ({"is_staff": True}, 0),
        ({"is_superuser": True}, 0),
        # An administrator has closed it instead of deleting it, on purpose.
        ({"is_active": False}, 0),
    ],
)
def test_only_who_never_was_there_is_deleted(changes, deleted):
    UserFactory(**{"date_joined": timezone.now() - OLD} | changes)
    assert purge_unconfirmed() == deleted
    assert User.objects.count() == 1 - deleted


@pytest.mark.django_db
def test_their_mail_is_forgotten_and_no_farewell_is_said():
    user = old_user()
    message = MessageFactory(user=user, status="sent", sent_at=Now(), created_at=Now() - OLD)
    assert tasks.purge_unconfirmed() == "1 deleted"
    message.refresh_from_db()
    assert (message.user, message.to_address) == (None, "")
    assert Message.objects.count() == 1


@pytest.mark.django_db
def test_who_was_mailed_a_link_of_late_has_time_to_use_it():
    MessageFactory(user=old_user(), created_at=Now() - timedelta(days=2))
    other = MessageFactory(user=old_user(), created_at=Now() - timedelta(days=4)).user
    assert purge_unconfirmed() == 1
    assert not User.objects.filter(pk=other.pk).exists()


@pytest.mark.django_db
def test_limit_bounds_what_is_deleted_in_one_go():
    for _ in range(3):
        old_user()
    assert [purge_unconfirmed(limit=2), purge_unconfirmed(limit=2), purge_unconfirmed(limit=2)] == [2, 1, 0]


@pytest.mark.django_db(transaction=True)
def test_who_confirms_at_this_very_moment_stays():
    user, other = old_user(), old_user()
    parameters = connection.get_connection_params() | {"cursor_factory": None, "context": None}
    with psycopg.connect(**parameters) as confirming:
        confirming.execute("UPDATE accounts_user SET confirmed_at = now() WHERE id = %s", [user.pk])
        # Not committed yet: here the account still looks as if nobody had come.
        assert purge_unconfirmed() == 1
    user.refresh_from_db()
    assert user.confirmed_at is not None
    assert not User.objects.filter(pk=other.pk).exists()
    assert purge_unconfirmed() == 0
