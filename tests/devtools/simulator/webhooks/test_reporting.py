"""The simulator as a process reports to a site: contents, signatures, retries."""

import base64
import itertools
import json
from collections import Counter
from contextlib import suppress

import pytest
import requests

from devtools.simulator.reporter import MOST_POSTS
from devtools.simulator.signing import kept_keys
from devtools.stack.ports import free_port
from tests.devtools.simulator.requests_of import PROVIDERS
from tests.devtools.simulator.site import listening
from tests.devtools.simulator.test_reports import sendgrid_verifies, sns_verifies
from tests.devtools.simulator.webhooks.reported import AUTH, NEUTRAL, reported, send, settled
from tests.simulated import simulator

KINDS = {
    "simulator": lambda event: event["event"],
    "sendgrid": lambda event: event["event"],
    "ses": lambda event: event["eventType"],
    "postmark": lambda event: event.get("Type", event["RecordType"]),
}


@pytest.mark.parametrize(
    ("provider", "to", "kinds"),
    [
        ("simulator", "ada", "processed delivered"),
        ("sendgrid", "ada", "processed delivered"),
        ("sendgrid", "bounce", "processed bounce"),
        ("sendgrid", "complaint", "processed delivered spamreport"),
        ("sendgrid", "deferred", "processed deferred delivered"),
        ("sendgrid", "suppressed", "processed dropped"),
        ("ses", "ada", "Send Delivery"),
        ("ses", "bounce", "Send Bounce"),
        ("ses", "complaint", "Send Delivery Complaint"),
        ("ses", "deferred", "Send DeliveryDelay Delivery"),
        ("ses", "ooto", "Send Delivery Bounce"),
        ("postmark", "ada", "Delivery"),
        ("postmark", "softbounce", "SoftBounce"),
        ("postmark", "complaint", "Delivery SpamComplaint"),
    ],
)
def test_provider_reports_the_outcome_of_an_email(server, site, provider, to, kinds):
    assert send(server, provider, f"{to}@example.com", mailroom_message_id="m-1").ok
    settled(server)
    assert [KINDS[provider](event) for event in site.events(provider)] == kinds.split()
    assert {post.path for post in site.posts} == {f"/webhooks/{provider}/"}
    assert {state for _, state in reported(server)} == {"sent"}


@pytest.mark.parametrize(
    ("provider", "metadata"),
    [
        ("simulator", lambda event: event["mailroom_message_id"]),
        ("sendgrid", lambda event: event["mailroom_message_id"]),
        ("ses", lambda event: event["mail"]["tags"]["mailroom_message_id"][0]),
        ("postmark", lambda event: event["Metadata"]["mailroom_message_id"]),
    ],
)
def test_every_event_has_the_metadata(server, site, provider, metadata):
    send(server, provider, "deferred@example.com", mailroom_message_id="m-7")
    settled(server)
    assert {metadata(event) for event in site.events()} == {"m-7"}


def test_reports_are_signed(server, site):
    keys = kept_keys(server.folder / "keys")
    for provider in PROVIDERS:
        send(server, provider)
    settled(server)
    for post in site.posts:
        if post.provider == "ses":
            sns_verifies(keys.certificate, json.loads(post.body))
        elif post.provider == "postmark":
            assert post.headers["Authorization"] == f"Basic {base64.b64encode(AUTH.encode()).decode()}"
        else:
            sendgrid_verifies(keys, post, post.body)


def test_sendgrid_reports_in_batches(server, site):
    for _ in range(30):
        send(server, "sendgrid")
    settled(server)
    assert len(site.events()) == 60
    assert len(site.posts) < 20


@pytest.mark.parametrize("answered", ["hang_after", "cut_after", "truncate", "dribble"])
def test_email_with_a_lost_answer_is_reported(server, site, answered):
    server.set_controls(fault=answered, fault_next=1, hang_s=0.1)
    with suppress(requests.RequestException):
        send(server, "ses", mailroom_message_id="m-9")
    settled(server)
    assert [event["mail"]["tags"]["mailroom_message_id"] for event in site.events()] == [["m-9"]] * 2


@pytest.mark.parametrize("provider", ["sendgrid", "ses", "postmark"])
@pytest.mark.parametrize("trouble", [[500], [503, 502], [None]])
def test_report_is_posted_again_after_an_error(server, site, provider, trouble):
    before = server.stats()["webhooks_sent"]
    site.statuses[:] = trouble
    send(server, provider, "suppressed@example.com" if provider == "sendgrid" else "ada@example.com")
    stats = settled(server)
    expected = 1 if provider == "postmark" else 2
    assert stats["webhooks_sent"] == before + expected
    assert len(site.posts) > len(trouble)
    assert [state for _, state in reported(server)] == ["sent"] * expected


def test_sns_does_not_retry_after_a_client_error(server, site):
    failed = server.stats()["webhooks_failed"]
    site.statuses[:] = [400]
    send(server, "ses")
    assert settled(server)["webhooks_failed"] == failed + 1
    assert len(site.posts) == 2
    assert sorted(state for _, state in reported(server)) == ["failed", "sent"]


def test_sns_tries_four_times(server, site):
    site.statuses[:] = [500] * 8
    send(server, "ses")
    settled(server)
    assert len(site.posts) == 8
    assert [state for _, state in reported(server)] == ["failed", "failed"]
    assert len({post.body for post in site.posts}) == 2


def test_pauses_of_sendgrid_grow(server, site):
    server.set_controls(webhook_pause_ms=60)
    site.statuses[:] = [500] * 4
    send(server, "sendgrid")
    settled(server)
    first = [post.at for post in site.posts if post.body == site.posts[0].body]
    pauses = [later - earlier for earlier, later in itertools.pairwise(first)]
    # On a busy machine a pause may be longer, but never shorter.
    assert all(pause > 0.06 * 2**number for number, pause in enumerate(pauses))
    assert len(pauses) >= 2


def test_site_that_was_down_receives_all_reports(tmp_path):
    port = free_port()
    with simulator(tmp_path, "--webhook-url", f"http://127.0.0.1:{port}/webhooks/") as server:
        server.set_controls(**{**NEUTRAL, "webhook_pause_ms": 300})
        for provider in PROVIDERS:
            for number in range(5):
                send(server, provider, f"down{number}@example.com")
        with listening(port) as site:
            stats = settled(server)
            assert Counter(kinds_of(site)) == {
                ("simulator", "processed"): 5,
                ("simulator", "delivered"): 5,
                ("sendgrid", "processed"): 5,
                ("sendgrid", "delivered"): 5,
                ("ses", "Send"): 5,
                ("ses", "Delivery"): 5,
                ("postmark", "Delivery"): 5,
            }
        assert (stats["webhooks_sent"], stats["webhooks_failed"]) == (35, 0)


def kinds_of(site):
    return [(post.provider, KINDS[post.provider](event)) for post in site.posts for event in post.events()]


def test_slow_site_is_not_flooded(server, site):
    site.answer_s = 0.05
    site.most_open = 0
    for _ in range(20):
        send(server, "ses")
    settled(server)
    assert len(site.posts) == 40
    assert site.most_open <= MOST_POSTS


def test_no_reports_without_a_webhook_url(tmp_path):
    with simulator(tmp_path) as server:
        send(server, "ses", "bounce@example.com")
        assert "webhooks_sent" not in server.stats()
        assert server.messages()[0]["outcome"] == "bounced"
        assert not (tmp_path / "keys").exists()


def test_mailbox_shows_the_reports(server, site):
    send(server, "ses", "complaint@example.com")
    settled(server)
    seq = server.messages()[0]["seq"]
    for page in ("/", f"/messages/{seq}"):
        assert "complained" in server.get(page).text
    assert 'id="reports"' in server.get(f"/messages/{seq}").text
