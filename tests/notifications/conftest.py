"""Fixtures of the tests of mail."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from notifications.budget import scripts
from notifications.runtime.redis_client import client
from tests.factories import UserFactory


@pytest.fixture
def staff():
    """Logs somebody in who has exactly the permissions asked for."""

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
    """Only `let_pass` lets the budget's time pass, however busy the machine is. Gives what lets time pass again."""
    seconds, microseconds = client().time()
    real = scripts.script

    def at_that_moment(text):
        assert "redis.call('TIME')" in text
        return real(text.replace("redis.call('TIME')", f"{{{seconds}, {microseconds}}}"))

    monkeypatch.setattr(scripts, "script", at_that_moment)
    return real
