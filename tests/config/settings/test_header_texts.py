"""Settings that stand in headers."""

import os
import subprocess
import sys

import pytest

from config.environment import BASE_DIR


def test_settings_in_headers_lose_what_was_pasted_along(environment):
    environment |= {
        "SITE_NAME": "\ufeffMail\u00adroom\u00a0Ltd",
        "DEFAULT_FROM_EMAIL": "Mail\u00a0room <a\u200b@mail.example>",
    }
    ask = "from django.conf import settings; print(settings.SITE_NAME, settings.DEFAULT_FROM_EMAIL, sep='|')"
    done = subprocess.run(
        [sys.executable, "-c", ask], cwd=BASE_DIR, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "Mailroom Ltd|Mail room <a@mail.example>"


@pytest.fixture
def environment():
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONUTF8": "1"}
