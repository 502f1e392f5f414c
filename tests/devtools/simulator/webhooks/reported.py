"""Send to the simulator, and read the state of its reports."""

import requests

from tests.devtools.simulator.requests_of import CREDENTIALS, PATHS, body_of
from tests.live.running import eventually

AUTH = "postmark:secret"
NEUTRAL = {
    "latency_ms": 0,
    "fault": "none",
    "fault_next": 0,
    "bounce_rate": 0,
    "complaint_rate": 0,
    "deferred_rate": 0,
    "webhook_lost_rate": 0,
    "webhook_doubled_rate": 0,
    "webhook_delay_ms": 0,
    "webhook_shuffle": False,
    "webhook_pause_ms": 20,
    "seed": 0,
}


def send(server, provider, to="ada@example.com", **metadata):
    body = body_of(provider, to, metadata)
    return requests.post(server.url + PATHS[provider], json=body, headers=CREDENTIALS[provider], timeout=10)


def settled(server):
    return eventually(lambda: (stats := server.stats())["webhooks_pending"] == 0 and stats)


def reported(server):
    """Return the reports of the newest email, from the API."""
    seq = server.messages()[0]["seq"]
    return [(one["event"], one["state"]) for one in server.get(f"/api/messages/{seq}").json()["reported"]]
