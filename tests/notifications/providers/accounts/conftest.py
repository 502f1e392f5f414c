from collections.abc import Iterator

import pytest

from notifications.providers.account import Finding
from tests.notifications.providers.accounts.scripted_api import ScriptedApi, scripted_api


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    with scripted_api() as running:
        yield running


@pytest.fixture(autouse=True)
def sender(settings):
    settings.DEFAULT_FROM_EMAIL = "Shop <Hello@mail.example.com>"
    settings.SITE_URL = "https://shop.example.com"


def verdicts(found: list[Finding]) -> list[tuple[str, str]]:
    """What was looked at and how it is, in order."""
    return [(finding.subject, finding.verdict.value) for finding in found]
