"""Settings that are used in headers."""

import os

import pytest

from config.environment import BASE_DIR
from tests import forked


def test_settings_in_headers_lose_surrounding_whitespace(environment):
    environment |= {
        "SITE_NAME": "\ufeffShop\u00adping\u00a0Ltd",
        "DEFAULT_FROM_EMAIL": "The\u00a0shop <a\u200b@mail.example>",
    }
    ask = "from django.conf import settings; print(settings.SITE_NAME, settings.DEFAULT_FROM_EMAIL, sep='|')"
    done = forked.run("-c", ask, folder=BASE_DIR, environment=environment, check=True)
    assert done.stdout.splitlines()[-1] == "Shopping Ltd|The shop <a@mail.example>"


@pytest.fixture
def environment():
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
