"""The facts about a user: from this site, and by default for `auth.User`."""

import pytest
from django.contrib.auth.models import User as DjangoUser
from django.utils import timezone

from accounts.models import User
from notifications import users


@pytest.fixture
def defaults(settings):
    for name in ("USER_LANGUAGE", "USER_DISPLAY_NAME", "USER_IS_ACTIVE", "USER_HAS_CONFIRMED", "PREVIEW_USER"):
        setattr(settings, name, "")


def test_defaults_fit_djangos_user(defaults):
    ada = DjangoUser(username="ada", email="Ada@example.com", first_name="Ada", last_name="Lovelace")
    assert users.address_of(ada) == "Ada@example.com"
    assert users.language_of(ada) == ""
    assert users.display_name(ada) == "Ada Lovelace"
    assert users.is_active(ada)
    assert not users.is_active(DjangoUser(is_active=False))
    assert users.has_confirmed(ada, "ada@example.com")
    assert not users.has_confirmed(ada, "eve@example.com")


def test_default_preview_has_an_address_and_no_row(defaults):
    sample = users.preview_user("de")
    assert "@" in users.address_of(sample)
    assert sample._state.adding


def test_site_answers_for_its_own_users():
    ada = User(email="ada@example.com", name="Ada", language="de")
    assert (users.language_of(ada), users.display_name(ada)) == ("de", "Ada")
    assert not users.has_confirmed(ada, "ada@example.com")
    ada.confirmed_at = timezone.now()
    assert users.has_confirmed(ada, "ada@example.com")
    assert not users.has_confirmed(ada, "old@example.com")
    assert users.language_of(users.preview_user("de")) == "de"
