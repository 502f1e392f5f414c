"""A database or a user model that the engine cannot use is an error with a hint, before anything is written."""

from unittest import mock

import pytest
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.checks import run_checks
from django.db import connection
from django.test.utils import isolate_apps

from accounts.models import User
from notifications.installation import requirements
from notifications.models import Message


class Elsewhere:
    """Keeps one model in another database."""

    def __init__(self, model):
        self.model = model

    def db_for_write(self, model, **hints):
        return "archive" if model is self.model else None


def ids():
    return {message.id for message in run_checks(tags=["mailroom"])}


def test_project_has_what_the_engine_needs():
    assert not ids() & {"mailroom.E070", "mailroom.E071", "mailroom.E072"}


def test_database_must_be_postgresql():
    with mock.patch.object(connection, "vendor", "sqlite"):
        (error,) = requirements.postgresql(None)
    assert (error.id, error.hint) == ("mailroom.E070", requirements.POSTGRESQL)


@pytest.mark.parametrize("model", [Message, User])
def test_messages_and_users_must_be_in_the_default_database(settings, model):
    settings.DATABASE_ROUTERS = [Elsewhere(model)]
    (error,) = requirements.routers(None)
    assert error.id == "mailroom.E071"
    assert model._meta.label in error.hint


def test_router_may_keep_other_models_elsewhere(settings):
    settings.DATABASE_ROUTERS = [Elsewhere(object)]
    assert not list(requirements.routers(None))


@isolate_apps("tests")
def test_user_model_must_have_an_address():
    class Member(AbstractBaseUser):
        USERNAME_FIELD = "password"

        class Meta:
            app_label = "tests"

    with mock.patch.object(requirements, "get_user_model", return_value=Member):
        (error,) = requirements.user_model(None)
    assert error.id == "mailroom.E072"
    assert Member._meta.label in error.msg


@pytest.mark.parametrize(
    ("name", "other", "wrong"),
    [
        ("CELERY_BROKER_URL", "amqp://localhost", True),
        ("CELERY_BROKER_READ_URL", "redis://127.0.0.1:1/5", True),
        ("CELERY_BROKER_URL", "same", False),
    ],
)
def test_environment_may_not_name_another_broker(settings, monkeypatch, name, other, wrong):
    monkeypatch.setenv(name, other.replace("same", settings.REDIS_URL))
    assert ("mailroom.E076" in ids()) is wrong
