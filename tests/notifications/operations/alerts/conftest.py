"""A real server that takes alerts."""

import json

import pytest

from tests.notifications.providers.base.scripted_api import scripted_api

SECRET = "a-secret-part"
HOOK, PING = f"/hook/{SECRET}", f"/ping/{SECRET}"
GOOD = {f"POST {HOOK}": (200, "ok"), f"GET {PING}": (200, "OK"), f"POST {PING}/fail": (200, "OK")}


class Receiver:
    def __init__(self, api):
        self.api = api

    def answer(self, **status):
        """Answer calls with a status: `webhook=500`, `ping=404`."""
        if "webhook" in status:
            self.api.answers[f"POST {HOOK}"] = (status["webhook"], "")
        if "ping" in status:
            self.api.answers |= {f"GET {PING}": (status["ping"], ""), f"POST {PING}/fail": (status["ping"], "")}

    def posts(self):
        return [json.loads(asked.body)["text"] for asked in self.api.asked if asked.path == HOOK]

    def pings(self):
        return [asked.path.removeprefix(PING) or "ok" for asked in self.api.asked if asked.path.startswith(PING)]

    def bodies(self):
        return [asked.body for asked in self.api.asked if asked.path == f"{PING}/fail"]


@pytest.fixture
def receiver(settings):
    with scripted_api() as api:
        api.answers = dict(GOOD)
        settings.ALERT_WEBHOOK_URL, settings.ALERT_PING_URL = api.url + HOOK, api.url + PING
        yield Receiver(api)
