"""The local simulator's account: SendGrid's API for suppression lists, without any set-up."""

import requests

from notifications.providers.base.account import Finding, Quota, bad, good
from notifications.providers.base.http import timeouts
from notifications.providers.sendgrid.account import SendGridAccount
from notifications.providers.simulator.backend import API_KEY, Simulator, simulator_api_url
from notifications.providers.simulator.settings import settings


class SimulatorAccount(SendGridAccount):
    provider = "simulator"
    sender = Simulator
    names_quota = False

    def api_url(self) -> str:
        return simulator_api_url()

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {API_KEY}"}

    def quota(self) -> Quota | None:
        return None

    def inspect(self) -> list[Finding]:
        try:
            answer = requests.get(f"{settings.SIMULATOR_URL}/healthz", timeout=timeouts(), allow_redirects=False)
            answer.raise_for_status()
        except requests.RequestException as error:
            text = f"no answer at {settings.SIMULATOR_URL} ({type(error).__name__})"
            return [bad("connection", "no-answer", text, "Start it with make up, or python -m devtools.simulator.")]
        return [good("connection", "accepted", f"it answers at {settings.SIMULATOR_URL}; no email reaches a recipient")]

    def dkim_names(self) -> list[str]:
        return []
