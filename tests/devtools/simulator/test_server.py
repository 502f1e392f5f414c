"""The simulator as a process, used by a browser and by programs."""

import json
import os
import re
import time

import pytest
import requests

from config.environment import BASE_DIR
from tests import forked
from tests.simulated import simulator

KEY = {"Authorization": "Bearer key"}


def body(**changes):
    return {
        "from": {"email": "shop@example.com", "name": "Shop"},
        "subject": "Hello",
        "personalizations": [{"to": [{"email": "ada@example.com", "name": "Ada"}]}],
        "content": [{"type": "text/plain", "value": "Hi"}, {"type": "text/html", "value": "<p>Hi</p>"}],
        **changes,
    }


def send(server, headers=KEY, **changes):
    return requests.post(f"{server.url}/v3/mail/send", json=body(**changes), headers=headers, timeout=10)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture(autouse=True)
def neutral_controls(server):
    server.set_controls(latency_ms=0, error_rate=0, error_status=503, fail_next=0)


def test_accepted_email_is_in_the_journal_before_the_answer_is_sent(server):
    answer = send(server, custom_args={"mailroom_message_id": "m-1"})
    assert answer.status_code == 202
    line = json.loads((server.folder / "journal.jsonl").read_text().splitlines()[-1])
    assert line["provider_message_id"] == answer.headers["X-Message-Id"]
    assert (line["to"], line["to_name"], line["metadata"]) == (
        "ada@example.com",
        "Ada",
        {"mailroom_message_id": "m-1"},
    )
    assert line["request_started_at"] <= line["accepted_at"]


@pytest.mark.parametrize(
    ("headers", "changes", "status"),
    [
        ({}, {}, 401),
        (KEY, {"personalizations": []}, 400),
        (KEY, {"personalizations": "x"}, 400),
        (KEY, {"from": None}, 400),
        (KEY, {"content": []}, 400),
        (KEY, {"content": [7]}, 400),
    ],
)
def test_invalid_request_is_refused_without_a_journal_entry(server, headers, changes, status):
    before = server.stats()["accepted"]
    answer = send(server, headers, **changes)
    assert answer.status_code == status
    assert answer.json()["errors"]
    assert server.stats()["accepted"] == before


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"\xff", b'{"personalizations": [{"to": [{}]}]}'])
def test_broken_requests_are_refused(server, raw):
    for path in ("/v3/mail/send", "/v2/email/outbound-emails"):
        headers = {"Authorization": "Bearer x" if "v3" in path else "AWS4-HMAC-SHA256 x"}
        assert requests.post(server.url + path, data=raw, headers=headers, timeout=10).status_code == 400


def test_latency_control_delays_every_answer(server):
    server.set_controls(latency_ms=300)
    began = time.monotonic()
    assert send(server).status_code == 202
    assert time.monotonic() - began >= 0.3


def test_error_controls(server):
    server.set_controls(fail_next=2, error_status=429)
    assert [send(server).status_code for _ in range(3)] == [429, 429, 202]
    server.set_controls(error_rate=1, error_status=500)
    assert send(server).status_code == 500


@pytest.mark.parametrize(
    "controls", [{"latency_ms": -1}, {"error_rate": 2}, {"error_status": 200}, {"no_such": 1}, {"latency_ms": "x"}]
)
def test_bad_control_is_refused_and_changes_nothing(server, controls):
    before = server.get("/api/controls").json()
    answer = requests.put(f"{server.url}/api/controls", json=controls, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")
    assert server.get("/api/controls").json() == before


def test_page_of_another_site_cannot_change_controls(server):
    evil = {"Origin": "https://evil.example"}
    assert (
        requests.put(f"{server.url}/api/controls", json={"latency_ms": 9}, headers=evil, timeout=9).status_code == 403
    )
    assert requests.post(f"{server.url}/controls", {"latency_ms": 9}, headers=evil, timeout=9).status_code == 403
    assert server.get("/api/controls").json()["latency_ms"] == 0


@pytest.mark.parametrize("path", ["/", "/api/messages", "/api/stats"])
def test_name_of_another_site_is_refused(server, path):
    answer = requests.get(server.url + path, headers={"Host": "evil.example"}, timeout=9)
    assert answer.status_code == 403
    assert requests.get(server.url + path, headers={"Host": "localhost:1"}, timeout=9).status_code == 200


def test_controls_can_be_changed_in_the_mailbox(server):
    own = {"Origin": server.url}
    answer = requests.post(f"{server.url}/controls", {"latency_ms": "5"}, headers=own, timeout=9, allow_redirects=False)
    assert (answer.status_code, server.get("/api/controls").json()["latency_ms"]) == (303, 5)


def test_controls_of_one_provider_can_be_changed_in_the_mailbox(server):
    page = server.get("/controls", provider="ses").text
    assert 'name="fault"' in page
    assert 'id="no-webhook-url"' in page
    own = {"Origin": server.url}
    form = {"provider": "ses", "fault": "dribble", "hang_s": "1.5", "latency_ms": ""}
    answer = requests.post(f"{server.url}/controls", form, headers=own, timeout=9)
    assert 'role="status"' in answer.text
    assert re.search(r'<option value="dribble"\s+selected>', answer.text)
    controls = server.get("/api/controls").json()["providers"]
    assert [controls[name]["fault"] for name in controls] == ["none", "none", "dribble", "none", "none"]
    assert '<option value="">' in server.get("/controls").text
    server.set_controls(fault="none")


@pytest.mark.parametrize("form", [{"latency_ms": "-1"}, {"provider": "smoke"}, {"fault": "x", "provider": "ses"}])
def test_bad_form_is_refused(server, form):
    answer = requests.post(f"{server.url}/controls", form, headers={"Origin": server.url}, timeout=9)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert server.get("/controls", provider="smoke").status_code == 404


def test_hostile_email_is_shown_but_not_executed(server):
    evil = "<script>alert(1)</script>"
    send(
        server,
        subject=evil,
        personalizations=[{"to": [{"email": f"{evil}@example.com", "name": evil}]}],
        content=[{"type": "text/plain", "value": evil}, {"type": "text/html", "value": f"<html><head></head>{evil}"}],
        custom_args={evil: evil},
    )
    seq = server.messages()[0]["seq"]
    for path in ("/", f"/messages/{seq}"):
        page = server.get(path)
        assert evil not in page.text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    mail = server.get(f"/messages/{seq}/html")
    assert evil in mail.text
    assert mail.headers["Content-Security-Policy"].startswith("sandbox ")
    assert "allow-scripts" not in mail.headers["Content-Security-Policy"]
    assert "allow-same-origin" not in mail.headers["Content-Security-Policy"]


def test_mailbox_searches_by_address_and_has_pages(server):
    for number in range(30):
        send(server, personalizations=[{"to": [{"email": f"many{number}@example.com"}]}])
    assert "many29@example.com" in server.get("/").text
    assert "many29@example.com" not in server.get("/", page="2").text
    assert "many7@example.com" in server.get("/", to="MANY7@").text
    assert server.get("/", page="nonsense").status_code == 200
    assert len(server.messages(to="many")) == 30


@pytest.mark.parametrize("path", ["/messages/999999", "/messages/999999/html", "/api/messages/999999", "/nothing"])
def test_missing_pages_are_404(server, path):
    assert server.get(path).status_code == 404


def test_journal_survives_a_killed_process(tmp_path):
    with simulator(tmp_path) as first:
        send(first)
        send(first)
    journal = tmp_path / "journal.jsonl"
    journal.write_text(journal.read_text() + '{"provider": "sendgr')
    with simulator(tmp_path) as second:
        assert second.stats()["accepted"] == 2
        send(second)
        assert [entry["seq"] for entry in second.messages()] == [3, 2, 1]
    with simulator(tmp_path) as third:
        assert third.stats()["accepted"] == 3


@pytest.mark.parametrize(
    ("environment", "options", "said"),
    [
        ({"MAILROOM_LOCAL": "0"}, [], "MAILROOM_LOCAL=1"),
        ({}, ["--host", "0.0.0.0"], "--host"),  # noqa: S104 - what is refused
        ({}, ["--latency-ms", "-1"], "latency_ms"),
        ({}, ["--webhook-url", "http://example.com/webhooks/"], "--webhook-url"),
        ({}, ["--webhook-url", "ftp://127.0.0.1/"], "--webhook-url"),
    ],
)
def test_refuses_to_start(tmp_path, environment, options, said):
    arguments = ("-m", "devtools.simulator", "--folder", str(tmp_path), *options)
    done = forked.run(*arguments, folder=BASE_DIR, environment=os.environ | environment)
    assert done.returncode == 1
    assert said in done.stderr


def test_taken_port_is_reported(tmp_path, server):
    port = server.url.rpartition(":")[2]
    arguments = ("-m", "devtools.simulator", "--folder", str(tmp_path), "--port", port)
    done = forked.run(*arguments, folder=BASE_DIR, environment=os.environ)
    assert done.returncode == 1
    assert f"Port {port}" in done.stderr
