"""Fixtures of the admin's tests."""

import pytest


@pytest.fixture(autouse=True)
def quick_sessions(settings):
    """Keep sessions in cookies: with those in the database, a log-in takes fifteen statements."""
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
