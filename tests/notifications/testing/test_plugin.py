"""The plugin costs nothing where it is not used, and the provider of tests is refused in production."""

import subprocess
import sys

import pytest
from django.core.checks import run_checks

from config.environment import BASE_DIR

LOADED = "import sys, notifications.testing.plugin; print('django' in sys.modules)"


def test_plugin_is_loaded_without_django():
    done = subprocess.run([sys.executable, "-c", LOADED], cwd=BASE_DIR, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(("is_local", "ids"), [(True, set()), (False, {"mailroom.E004"})])
def test_recording_provider_is_for_tests_only(settings, is_local, ids):
    settings.EMAIL_PROVIDERS, settings.MAILROOM_LOCAL = ["recording"], is_local
    assert {found.id for found in run_checks(tags=["mailroom"])} & {"mailroom.E003", "mailroom.E004"} == ids
