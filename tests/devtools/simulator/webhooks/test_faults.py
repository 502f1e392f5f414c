"""Faults of reports: lost, duplicated and late, reproducible with a seed."""

from collections import Counter

import pytest
import requests

from tests.devtools.simulator.requests_of import CREDENTIALS
from tests.devtools.simulator.webhooks.reported import NEUTRAL, reported, send, settled


def with_faults(server, site, **controls):
    """Return the reports about ten emails by address, with these controls."""
    site.clear()
    server.set_controls(**{**NEUTRAL, **controls})
    for number in range(10):
        forget(server, f"faulty{number}@example.com")
        send(server, "sendgrid", f"faulty{number}@example.com")
    settled(server)
    return Counter((event["email"], event["event"]) for event in site.events())


@pytest.mark.parametrize("controls", [{"webhook_lost_rate": 0.5}, {"webhook_doubled_rate": 0.5}, {"bounce_rate": 0.5}])
def test_faults_and_outcomes_repeat_with_the_seed(server, site, controls):
    def once(seed):
        return with_faults(server, site, seed=seed, **controls)

    first = once(4)
    assert once(4) == first
    assert once(5) != first
    assert with_faults(server, site) != first


def forget(server, address):
    url = f"{server.url}/v3/suppression/bounces/{address}"
    requests.delete(url, headers=CREDENTIALS["sendgrid"], timeout=5)


def test_doubled_report_is_the_same_event(server, site):
    server.set_controls(webhook_doubled_rate=1)
    send(server, "sendgrid")
    send(server, "ses")
    settled(server)
    ids = Counter(event["sg_event_id"] for event in site.events("sendgrid"))
    assert list(ids.values()) == [2, 2]
    bodies = Counter(post.body for post in site.posts if post.provider == "ses")
    assert list(bodies.values()) == [2, 2]


def test_lost_reports_are_counted_and_shown(server, site):
    server.set_controls(webhook_lost_rate=1)
    before = server.stats()["webhooks_lost"]
    send(server, "postmark")
    assert settled(server)["webhooks_lost"] == before + 1
    assert (reported(server), site.posts) == ([("delivered", "lost")], [])


def test_late_reports_are_late(server, site):
    server.set_controls(webhook_delay_ms=500)
    send(server, "postmark")
    assert server.stats()["webhooks_pending"] == 1
    settled(server)
    entry = server.messages()[0]
    reported = server.get(f"/api/messages/{entry['seq']}").json()["reported"]
    assert len(site.posts) == 1
    assert reported[0]["due_at"] > entry["accepted_at"]
