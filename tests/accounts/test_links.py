"""Each emailed link after each event: a link that is no longer valid changes nothing."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.links import address_change_path, confirmation_path, password_reset_path
from accounts.models import User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
PASSWORD, NEW = "correct horse battery", "a much newer password"
TAKEN = {"usable_password": "false", "unset-password": "1"}
GIVEN = {"usable_password": "true", "password1": NEW, "password2": NEW}


@pytest.fixture
def user():
    user = UserFactory(email="ada@example.com", new_email="new@example.com")
    user.set_password(PASSWORD)
    user.save()
    return user


def member(user):
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


def by_staff(user, page="accounts_user_change", **fields):
    staff = Client()
    staff.force_login(UserFactory(is_staff=True, is_superuser=True))
    assert staff.post(reverse(f"admin:{page}", args=[user.pk]), fields).status_code == 302


def opened_and_posted(client, path, password=NEW):
    """Open an emailed link and post its form."""
    way = client.get(path, follow=True).redirect_chain
    client.post(way[-1][0] if way else path, {"password": password})


def form(name, **fields):
    return lambda user: member(user).post(reverse(f"accounts:{name}"), fields)


# `member` logs in, which also invalidates a reset link.
EVENTS = {
    "nothing": lambda user: None,
    "password changed": form("password-change", current_password=PASSWORD, password=NEW),
    "password reset": lambda user: opened_and_posted(Client(), password_reset_path(user)),
    "address changed": lambda user: member(user).post(address_change_path(user)),
    "address given up": form("address-stay"),
    "confirmed": lambda user: opened_and_posted(Client(), confirmation_path(user), PASSWORD),
    "deleted": form("delete", current_password=PASSWORD),
    "logged out": form("log-out"),
    "closed by staff": lambda user: by_staff(user, email=user.email),
    "address changed by staff": lambda user: by_staff(user, email="third@example.com", is_active="on"),
    "password changed by staff": lambda user: by_staff(user, "auth_user_password_change", **GIVEN),
    "password taken by staff": lambda user: by_staff(user, "auth_user_password_change", **TAKEN),
}
HARMLESS = {"nothing", "logged out"}
PASSWORDS = {"password changed", "password changed by staff", "password taken by staff"}
GOOD_AFTER = {
    confirmation_path: HARMLESS | PASSWORDS | {"address given up"},
    password_reset_path: {"nothing"},
    address_change_path: HARMLESS | {"confirmed"},
}
ENDS_A_CHANGE = PASSWORDS | {"password reset", "address changed", "address given up", "address changed by staff"}
every_link = pytest.mark.parametrize("link", GOOD_AFTER, ids=lambda link: link.__name__)


def state(user):
    return list(User.objects.filter(pk=user.pk).values_list("email", "password", "confirmed_at"))


def use(link, path, user):
    """Open the link and post its form with every possible password."""
    is_there = User.objects.filter(pk=user.pk).exists()
    client = member(user) if link is address_change_path and is_there else Client()
    for password in (PASSWORD, NEW) if link is confirmation_path else ("yet another password",):
        opened_and_posted(client, path, password)


@every_link
@pytest.mark.parametrize("event", EVENTS)
def test_link_after_an_event(user, link, event):
    path = link(user)
    EVENTS[event](user)
    before = state(user)
    use(link, path, user)
    assert (state(user) != before) is (event in GOOD_AFTER[link])


@every_link
def test_expired_link(user, link):
    path, before = link(user), state(user)
    with time_machine.travel(timezone.now() + timedelta(days=30)):
        use(link, path, user)
    assert state(user) == before


@pytest.mark.parametrize("event", sorted(ENDS_A_CHANGE))
def test_new_address_is_not_shown_once_its_link_is_invalid(user, event):
    EVENTS[event](user)
    user.refresh_from_db()
    assert user.new_email == ""
