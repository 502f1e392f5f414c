"""A reset form posted twice at the same time sets one password."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.flows import passwords
from accounts.links import password_reset_path
from accounts.models import User
from notifications.models import Message
from tests.accounts.racing import held_until_all_are_there, post_together, tab
from tests.accounts.views.double_posts.posting import FIRST, PASSWORD, SECOND, is_done, kinds
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


COMPLETE = reverse("accounts:password-reset-complete")


def opened(user, device=None):
    """Open a reset link; return the browser and the page with the form."""
    client = device or Client()
    return client, client.get(password_reset_path(user), follow=True).redirect_chain[-1][0]


@pytest.mark.parametrize("devices", [1, 2])
def test_reset_link_posted_twice_with_two_passwords_sets_one(user, monkeypatch, devices):
    client, where = opened(user)
    other = tab(client) if devices == 1 else opened(user, Client())[0]
    with held_until_all_are_there(monkeypatch, User, "set_password", 2):
        answers = post_together([(client, where, {"password": FIRST}), (other, where, {"password": SECOND})])
    done = [is_done(answer, COMPLETE) for answer in answers]
    assert sorted(done) == [False, True]
    user.refresh_from_db()
    assert user.check_password((FIRST, SECOND)[done.index(True)])
    assert kinds() == {"password-changed": 1}
    assert answers[done.index(False)].context["was_used"]


def test_double_click_on_a_reset_form_sets_the_password_once(user, monkeypatch):
    client, where = opened(user)
    with held_until_all_are_there(monkeypatch, User, "set_password", 2):
        answers = post_together([(tab(client), where, {"password": FIRST}) for _ in range(2)])
    assert all(is_done(answer, COMPLETE) for answer in answers)
    # The second post of a slower double click finds the link used.
    assert is_done(tab(client).post(where, {"password": FIRST}), COMPLETE)
    assert not is_done(tab(client).post(where, {"password": SECOND}), COMPLETE)
    assert kinds() == {"password-changed": 1}


def test_used_reset_link_limits_password_attempts(user, settings):
    settings.ADDRESS_LIMITS = re.sub(r"failed-log-in=[^,]+", "failed-log-in=3/hour", settings.ADDRESS_LIMITS)
    client, where = opened(user)
    passwords.reset_password(user, FIRST)
    statuses = [client.post(where, {"password": f"guess number {number}"}).status_code for number in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    other = Client()
    assert not is_done(other.post(where, {"password": FIRST}), COMPLETE)
    assert not is_done(other.post(where, {"password": FIRST}), COMPLETE)


def test_opened_link_to_another_account_shows_nothing_of_this_one(user):
    other = UserFactory(email="eve@example.com", password="!")
    client, where = opened(other)
    mine = password_reset_path(user).rsplit("/", 2)[0] + "/set-password/"
    assert mine != where
    assert not is_done(client.post(mine, {"password": PASSWORD}), COMPLETE)


@pytest.mark.parametrize(
    "change", [{"password": "!"}, {"email": "new@example.com"}, {"last_login": timezone.now()}, {"is_active": False}]
)
def test_reset_link_is_invalid_if_the_account_changes_while_hashing(user, monkeypatch, change):
    # Each part may change while the new password is hashed.
    client, where = opened(user)
    hashed = User.set_password

    def slowly(self, password):
        hashed(self, password)
        User.objects.filter(pk=user.pk).update(**change)

    monkeypatch.setattr(User, "set_password", slowly)
    assert not is_done(client.post(where, {"password": FIRST}), COMPLETE)
    assert not User.objects.get().check_password(FIRST)
    assert not Message.objects.exists()
