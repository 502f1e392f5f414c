"""Fixtures of the engine's tests."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from notifications.budget import scripts
from notifications.runtime.redis_client import client
from tests.factories import UserFactory


@pytest.fixture
def staff():
    """Return a function that logs in a staff user with exactly these permissions."""

    def log_in(*codenames):
        user = UserFactory(is_staff=True)
        user.refresh_from_db()
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        browser = Client()
        browser.force_login(user)
        return browser

    return log_in


@pytest.fixture
def still(valkey, monkeypatch):
    """Stop the budget's time, which then only passes by `let_pass`. Return a function that undoes this."""
    seconds, microseconds = client().time()
    real = scripts.script

    def with_fixed_time(text):
        assert "redis.call('TIME')" in text
        return real(text.replace("redis.call('TIME')", f"{{{seconds}, {microseconds}}}"))

    monkeypatch.setattr(scripts, "script", with_fixed_time)
    return real
