"""Settings that stand in headers."""

import os

import pytest

from config.environment import BASE_DIR
from tests import forked


def test_settings_in_headers_lose_what_was_pasted_along(environment):
    environment |= {
        "SITE_NAME": "\ufeffMail\u00adroom\u00a0Ltd",
        "DEFAULT_FROM_EMAIL": "Mail\u00a0room <a\u200b@mail.example>",
    }
    ask = "from django.conf import settings; print(settings.SITE_NAME, settings.DEFAULT_FROM_EMAIL, sep='|')"
    done = forked.run("-c", ask, folder=BASE_DIR, environment=environment, check=True)
    assert done.stdout.splitlines()[-1] == "Mailroom Ltd|Mail room <a@mail.example>"


@pytest.fixture
def environment():
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
