"""The engine finds the project's Celery application, and brings one for a project that has none."""

import os
import subprocess
import sys
from types import ModuleType

import pytest
from celery import Celery

from config.environment import BASE_DIR
from notifications.runtime import celery_app
from notifications.runtime.celery import is_configured


def test_application_of_this_project_is_found():
    found = celery_app.inspect()
    assert (found.name, found.is_configured, found.is_ours) == ("config", True, False)


@pytest.mark.parametrize(
    ("module", "attribute", "name"),
    [
        ("shop.celery", "app", "shop"),
        ("shop.celery", "celery", "shop"),
        ("shop.tasks", "app", "shop.tasks"),
        ("shop.celery", "application", "shop.celery:application"),
    ],
)
def test_name_is_what_celery_takes_after_a(monkeypatch, module, attribute, name):
    app = Celery("other", set_as_current=False)
    holder = ModuleType(module)
    setattr(holder, attribute, app)
    monkeypatch.setitem(sys.modules, module, holder)
    assert list(celery_app._names(app)) == [name]


def test_application_is_configured_by_configure_only():
    app = Celery("other", set_as_current=False)
    assert not is_configured(app)
    # Not `configure`, which makes the application the process's.
    assert is_configured(celery_app.current_app)


def test_queues_are_those_that_the_configuration_names():
    app = Celery("other", set_as_current=False)
    routes = {"reports.*": {"queue": "reports"}, "images.*": "images", "plain.*": {"priority": 3}}
    app.conf.update(task_default_queue="jobs", task_routes=routes)
    assert [*app.amqp.queues, *celery_app._routed(app.conf.task_routes)] == ["jobs", "reports", "images"]
    assert not list(celery_app._routed([lambda name, *rest: None]))


SCRIPT = """
from django.conf import settings
settings.configure(
    INSTALLED_APPS=[*(f"django.contrib.{name}" for name in ("admin", "auth", "contenttypes")), "notifications"],
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql"}},
)
import django
BEFORE
django.setup()
from notifications.runtime import celery_app
found = celery_app.inspect()
print(found.name, found.is_configured, found.is_ours)
"""
THEIRS = "import sys; from celery import Celery; sys.modules['__main__'].app = Celery('shop')"


@pytest.mark.parametrize(
    ("before", "expected"), [("", "notifications True True"), (THEIRS, "__main__ False False")], ids=["none", "theirs"]
)
def test_engines_application_is_used_if_the_project_has_none(before, expected):
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(BASE_DIR)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.replace("BEFORE", before)],
        env=environment, cwd="/", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == expected, done.stderr
