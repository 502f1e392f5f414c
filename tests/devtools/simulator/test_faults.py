"""Every fault as a real client sees it, and its journal entry."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
import requests

from config.environment import BASE_DIR
from devtools.simulator.dialects.base import Answer
from devtools.simulator.faults import half, on_the_wire
from devtools.stack.ports import free_port
from tests.devtools.simulator.requests_of import CREDENTIALS, PATHS, PROVIDERS, body_of, raw
from tests.live.running import eventually
from tests.simulated import simulator

HANG_S = 0.6


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with simulator(tmp_path_factory.mktemp("faults")) as running:
        yield running


@pytest.fixture(autouse=True)
def neutral_controls(server):
    server.set_controls(
        latency_ms=0, error_rate=0, error_status=503, error_text="", retry_after_s=1, fail_next=0, hang_s=HANG_S
    )
    server.set_controls(fault="none", fault_rate=0, fault_next=0, seed=0)


def port_of(server):
    return int(server.url.rpartition(":")[2])


def heard(server, provider):
    """Return everything that the server sends until it disconnects, and how long it took."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=10) as connection:
        connection.sendall(raw(provider))
        said = b"".join(iter(lambda: connection.recv(65536), b""))
    return said, time.monotonic() - began


def send(server, provider, timeout=5.0):
    body = body_of(provider, "ada@example.com", {})
    return requests.post(server.url + PATHS[provider], json=body, headers=CREDENTIALS[provider], timeout=timeout)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("fault", "answered", "held"),
    [
        ("hang_before", None, True),
        ("cut_before", None, False),
        ("hang_after", "hung", True),
        ("cut_after", "cut", False),
    ],
)
def test_silent_fault_is_in_the_journal(server, provider, fault, answered, held):
    before = server.stats()["accepted"]
    server.set_controls(provider, fault=fault, fault_next=1)
    said, took_s = heard(server, provider)
    assert said == b""
    assert (took_s >= HANG_S) is held
    written = server.messages(after=str(before))
    assert [(entry["provider"], entry["answered"]) for entry in written] == ([(provider, answered)] if answered else [])
    # Only the next send has the fault.
    assert send(server, provider).ok
    assert server.messages()[0]["answered"] == "complete"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_truncated_answer_ends_early_after_acceptance(server, provider):
    server.set_controls(provider, fault="truncate", fault_next=2)
    said, _ = heard(server, provider)
    assert said.startswith(b"HTTP/1.1 2")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        send(server, provider)
    assert [entry["answered"] for entry in server.messages()[:2]] == ["truncated"] * 2


@pytest.mark.parametrize("provider", PROVIDERS)
def test_error_after_the_acceptance_is_a_proxys_page(server, provider):
    server.set_controls(provider, fault="error_after", fault_next=1)
    answer = send(server, provider)
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "text/html")
    assert server.messages()[0]["answered"] == "error"


@pytest.mark.parametrize(
    ("provider", "status", "said"),
    [("ses", 400, "AccountSuspendedException"), ("sendgrid", 403, "not allowed"), ("postmark", 422, "405")],
)
def test_suspended_account_sends_no_email(server, provider, status, said):
    before = server.stats()["accepted"]
    server.set_controls(provider, fault="suspended", fault_next=1)
    answer = send(server, provider)
    assert answer.status_code == status
    assert said in answer.text + answer.headers.get("x-amzn-ErrorType", "")
    assert server.stats()["accepted"] == before


@pytest.mark.parametrize("provider", PROVIDERS)
def test_dribbled_answer_is_complete_for_a_patient_caller(server, provider):
    server.set_controls(provider, fault="dribble", fault_next=1)
    began = time.monotonic()
    answer = send(server, provider)
    assert time.monotonic() - began >= HANG_S / 2
    entry = server.messages()[0]
    assert entry["provider_message_id"] in (answer.text or answer.headers["X-Message-Id"])
    assert entry["answered"] == "dribbled"


def test_dribble_never_exceeds_a_read_timeout(server):
    server.set_controls("ses", fault="dribble", fault_next=1, hang_s=1.5)
    assert send(server, "ses", timeout=0.5).ok


@pytest.mark.parametrize(
    ("answer", "rest"),
    [(Answer(200, "12345678", {"A": "b"}), b"1234"), (Answer(200, "1"), b""), (Answer(202, "", {"A": "b"}), None)],
)
def test_half_an_answer_ends_in_the_body_or_the_first_line(answer, rest):
    said = half(answer)
    assert on_the_wire(answer).startswith(said)
    assert said == b"HTTP/1.1 2" if rest is None else said.endswith(b"\r\n\r\n" + rest)


def test_caller_that_left_before_the_answer_has_not_read_it(server):
    server.set_controls(latency_ms=400)
    before = server.stats()["accepted"]
    with pytest.raises(requests.ReadTimeout):
        send(server, "sendgrid", timeout=0.1)
    eventually(lambda: server.stats()["accepted"] == before + 1)
    assert server.messages()[0]["answered"] == "unread"


def test_caller_that_leaves_a_held_connection_ends_it(server):
    server.set_controls(fault="hang_after", fault_next=1, hang_s=60)
    with pytest.raises(requests.ReadTimeout):
        send(server, "postmark", timeout=0.2)
    eventually(lambda: not server.stats()["in_flight"], within_s=5)
    assert server.messages()[0]["answered"] == "hung"


def test_controls_of_one_provider_do_not_change_another(server):
    server.set_controls("ses", fault="status", fault_rate=1, error_status=500)
    assert [send(server, provider).status_code for provider in PROVIDERS] == [202, 202, 500, 200]
    assert server.get("/api/controls/ses").json()["error_status"] == 500
    assert server.get("/api/controls").json()["error_status"] == 503
    assert server.get("/api/controls").json()["providers"]["ses"]["error_status"] == 500
    assert server.get("/api/controls/smoke").status_code == 404
    assert requests.put(f"{server.url}/api/controls/smoke", json={}, timeout=5).status_code == 400


def test_controls_of_all_change_together_or_none_do(server):
    before = server.get("/api/controls").json()
    assert (
        requests.put(f"{server.url}/api/controls", json={"latency_ms": 1, "fault": "x"}, timeout=5).status_code == 400
    )
    assert server.get("/api/controls").json() == before


def test_faults_by_rate_repeat_after_the_seed_is_set_again(server):
    def pattern():
        server.set_controls("sendgrid", fault="status", fault_rate=0.5, seed=11)
        return [send(server, "sendgrid").status_code for _ in range(12)]

    first = pattern()
    assert set(first) == {202, 503}
    assert pattern() == first


def test_refused_request_has_no_fault_and_no_journal_entry(server):
    before = server.stats()["accepted"]
    server.set_controls(fault="cut_after", fault_next=1)
    assert requests.post(server.url + PATHS["postmark"], data=b"{", headers=CREDENTIALS["postmark"], timeout=5).json()
    assert server.stats()["accepted"] == before


def test_held_connections_do_not_delay_the_end_of_the_process(tmp_path):
    port = free_port()
    command = [sys.executable, "-m", "devtools.simulator", "--port", str(port), "--folder", str(tmp_path)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--latency-ms", "0"], cwd=BASE_DIR, env=os.environ, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: listens(port))
        requests.put(f"{url}/api/controls/ses", json={"fault": "hang_after", "fault_rate": 1}, timeout=5)
        requests.put(f"{url}/api/controls/postmark", json={"fault": "dribble", "fault_rate": 1}, timeout=5)
        requests.put(f"{url}/api/controls/simulator", json={"fault": "hang_before", "fault_rate": 1}, timeout=5)
        requests.put(f"{url}/api/controls/sendgrid", json={"latency_ms": 60_000}, timeout=5)
        callers = [threading.Thread(target=call, args=(port, provider)) for provider in PROVIDERS]
        for caller in callers:
            caller.start()
        eventually(lambda: requests.get(f"{url}/api/stats", timeout=5).json()["in_flight"] == 4)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        for caller in callers:
            caller.join(5)
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in (tmp_path / "log").read_text()


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def call(port, provider):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(raw(provider))
        while connection.recv(65536):
            pass
