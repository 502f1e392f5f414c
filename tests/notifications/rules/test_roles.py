"""A process that sets no MAILROOM_ROLE has the role that its command line shows."""

import pytest

from notifications.conf import settings as engine
from notifications.rules.roles import USUAL, role_of
from notifications.runtime.roles import Role


@pytest.mark.parametrize(
    ("arguments", "role"),
    [
        (["/venv/bin/celery", "-A", "shop", "worker", "-Q", "default"], Role.WORKER),
        (["/venv/bin/celery", "-A", "beat", "worker"], Role.WORKER),
        (["/venv/bin/celery", "--app=shop", "-q", "beat"], Role.BEAT),
        (["/venv/bin/celery", "-A", "shop", "flower", "--port=5555"], Role.FLOWER),
        (["/venv/lib/celery/__main__.py", "-A", "shop", "worker"], Role.WORKER),
        (["celery", "-A", "shop", "inspect", "worker"], Role.MANAGE),
        (["celery"], Role.MANAGE),
        (["manage.py", "relay"], Role.RELAY),
        (["/venv/bin/django-admin", "relay", "--once"], Role.RELAY),
        (["manage.py", "migrate", "relay"], Role.MANAGE),
        (["manage.py"], Role.MANAGE),
        (["/venv/bin/gunicorn", "shop.wsgi"], Role.MANAGE),
        (["/venv/bin/pytest", "worker"], Role.MANAGE),
        ([""], Role.MANAGE),
        ([], Role.MANAGE),
    ],
)
def test_command_line_shows_the_role(arguments, role):
    assert role_of(arguments) == role


def test_usual_role_is_that_of_commands():
    assert USUAL == Role.MANAGE


def test_environment_decides_before_the_command_line(settings_without_role, monkeypatch):
    monkeypatch.setattr("sys.argv", ["celery", "-A", "shop", "worker"])
    monkeypatch.delenv("MAILROOM_ROLE")
    assert settings_without_role.MAILROOM_ROLE == Role.WORKER
    monkeypatch.setenv("MAILROOM_ROLE", "beat")
    assert settings_without_role.MAILROOM_ROLE == Role.BEAT


@pytest.fixture
def settings_without_role(settings):
    """Return the engine's settings in a project that does not set the role."""
    del settings.MAILROOM_ROLE
    return engine
