"""The simulator lists the calls that it received, also those without an accepted email."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from devtools.simulator.calls import MOST, Calls
from tests.devtools.simulator.requests_of import CREDENTIALS, PATHS, PROVIDERS, body_of, raw
from tests.live.running import eventually
from tests.simulated import simulator

METADATA = {"mailroom_message_id": "m-1", "mailroom_attempt": "2"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with simulator(tmp_path_factory.mktemp("calls")) as running:
        yield running


@pytest.fixture(autouse=True)
def neutral_controls(server):
    server.set_controls(
        latency_ms=0, error_rate=0, error_status=503, fault="none", fault_rate=0, fault_next=0, hang_s=0.2
    )


def newest(server):
    calls = server.get("/api/calls", limit="1").json()["calls"]
    return calls[-1] if calls else {"seq": 0}


def send(server, provider="sendgrid", session=requests):
    body = body_of(provider, "ada@example.com", METADATA)
    return session.post(server.url + PATHS[provider], json=body, headers=CREDENTIALS[provider], timeout=5)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_call_has_its_recipient_and_connection(server, provider):
    with requests.Session() as session:
        for _ in range(2):
            send(server, provider, session).raise_for_status()
    first, second = server.get("/api/calls", after=str(newest(server)["seq"] - 2)).json()["calls"]
    assert first["port"] == second["port"] != 0
    assert (second["provider"], second["to"], second["subject"]) == (provider, "ada@example.com", "Hi")
    assert METADATA.items() <= second["metadata"].items()
    assert (second["ended"], second["emails"]) == ("complete", [server.messages()[0]["seq"]])
    assert second["started_at"] <= second["ended_at"]


@pytest.mark.parametrize(
    ("fault", "ended", "taken"),
    [
        ("hang_before", "hung", False),
        ("hang_after", "hung", True),
        ("cut_before", "cut", False),
        ("cut_after", "cut", True),
        ("truncate", "truncated", True),
        ("status", "refused", False),
    ],
)
def test_call_has_its_end_also_if_nothing_was_accepted(server, fault, ended, taken):
    server.set_controls(fault=fault, fault_next=1)
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=5) as caller:
        caller.sendall(raw("sendgrid"))
        caller.recv(65536)
    eventually(lambda: newest(server)["ended"] == ended)
    assert bool(newest(server)["emails"]) is taken


def test_unreadable_call_has_no_recipient(server):
    requests.post(f"{server.url}/v3/mail/send", data=b"{", headers=CREDENTIALS["sendgrid"], timeout=5)
    call = newest(server)
    assert (call["to"], call["metadata"], call["ended"], call["emails"]) == ("", {}, "refused", [])


def test_call_in_progress_is_listed(server):
    server.set_controls(latency_ms=500)
    before = newest(server)["seq"]
    with ThreadPoolExecutor(1) as hands:
        sent = hands.submit(send, server)
        eventually(lambda: newest(server)["seq"] > before)
        call = newest(server)
        assert (call["to"], call["ended"], call["emails"]) == ("ada@example.com", "", [])
        assert sent.result().ok
    assert newest(server)["ended"] == "complete"


def test_caller_that_left_early_has_not_read_the_answer(server):
    server.set_controls(latency_ms=300)
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=5) as caller:
        caller.sendall(raw("sendgrid"))
    eventually(lambda: newest(server)["ended"] == "unread")
    assert newest(server)["emails"]
    assert server.messages()[0]["answered"] == "unread"


def test_only_the_latest_calls_are_kept():
    calls = Calls()
    for _ in range(MOST + 3):
        calls.begin("ses", 1)
    assert [call.seq for call in calls.after(0)[:2]] == [4, 5]
    assert [call.seq for call in calls.after(MOST + 1)] == [MOST + 2, MOST + 3]
    assert calls.after(MOST + 3) == []


def test_invalid_number_is_refused(server):
    assert server.get("/api/calls", after="x").status_code == 400
    assert server.get("/api/calls", limit="0").json()["calls"] == []


@pytest.mark.parametrize(("reads", "answered"), [(True, "complete"), (False, "unread")])
def test_answer_dropped_by_its_caller_is_unread(server, reads, answered):
    caller = socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=5)
    before = server.stats()["accepted"]
    caller.sendall(raw("sendgrid"))
    eventually(lambda: server.stats()["accepted"] > before and newest(server)["ended"])
    if reads:
        assert caller.recv(65536).startswith(b"HTTP/1.1 202")
    caller.close()
    send(server)
    eventually(lambda: server.messages()[1]["answered"] == answered)
    assert server.calls()[-2]["ended"] == answered


def test_corrected_answer_survives_a_restart(tmp_path):
    with simulator(tmp_path) as first:
        caller = socket.create_connection(("127.0.0.1", int(first.url.rpartition(":")[2])), timeout=5)
        caller.sendall(raw("sendgrid"))
        eventually(lambda: first.stats()["accepted"] == 1)
        caller.close()
        eventually(lambda: first.messages()[0]["answered"] == "unread")
        send(first)
    with simulator(tmp_path) as second:
        assert [(entry["seq"], entry["answered"]) for entry in second.messages()] == [(2, "complete"), (1, "unread")]
