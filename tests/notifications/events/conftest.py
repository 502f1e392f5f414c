import pytest

from tests.scripted_webhook import ScriptedWebhook


@pytest.fixture(autouse=True)
def scripted_webhook(registered):
    registered("scripted", webhook=ScriptedWebhook)
