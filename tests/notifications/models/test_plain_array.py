"""Django 6 demands django.contrib.postgres for each ArrayField. No project installs it for the engine's columns."""

from unittest import mock

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.core.checks import Error, run_checks
from django.db import models

from notifications.models.plain_array import PlainArrayField

DEMANDED = Error("must be in INSTALLED_APPS", id="postgres.E005")
OTHER = Error("has another error", id="postgres.E001")


def test_engine_has_no_column_that_needs_the_app():
    fields = [field for model in apps.get_app_config("notifications").get_models() for field in model._meta.fields]
    arrays = [field for field in fields if type(field).__module__.startswith("django.contrib.postgres")]
    assert arrays == []
    assert not [found for found in run_checks() if (found.id or "").startswith("postgres.")]


def test_array_leaves_out_that_error_only():
    with mock.patch.object(ArrayField, "check", return_value=[DEMANDED, OTHER]):
        assert PlainArrayField(models.TextField()).check() == [OTHER]
