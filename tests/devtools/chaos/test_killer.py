"""The killer's log."""

import json
import subprocess
import sys

import psutil
import pytest

from devtools.chaos.conditions import LEASE_S
from devtools.chaos.killer import InHand, Killer, in_hand, lost_answers
from tests.devtools.chaos.examples import call
from tests.live.running import eventually
from tests.simulated import simulator

CALLER = """
import sys, time, requests
session = requests.Session()
for number in (1, 2):
    body = {"from": {"email": "a@x.example"}, "subject": "Welcome",
            "personalizations": [{"to": [{"email": "b@x.example"}]}],
            "content": [{"type": "text/plain", "value": "x"}],
            "custom_args": {"mailroom_message_id": f"{sys.argv[2]}{number}", "mailroom_attempt": "1"}}
    session.post(sys.argv[1] + "/v3/mail/send", json=body, headers={"Authorization": "Bearer x"}, timeout=60)
time.sleep(60)
"""
NOW = 102.0


def hand(message_id, state):
    return InHand(message_id=message_id, attempt="1", provider="ses", state=state)


@pytest.mark.parametrize(
    ("why", "calls", "expected"),
    [
        ("in flight", [call("a@x.example", "m1", ended="", ended_at="")], [hand("m1", "in flight")]),
        ("answered a second ago", [call("a@x.example", "m1")], [hand("m1", "answered complete")]),
        ("answered long ago", [call("a@x.example", "m1", ended_at="1970-01-01T00:01:30+00:00")], []),
        ("another process", [call("a@x.example", "m1", port=6000)], []),
        (
            "an earlier call on the connection",
            [call("a@x.example", "m1"), call("a@x.example", "m2", ended="")],
            [hand("m2", "in flight")],
        ),
        (
            "two connections",
            [call("a@x.example", "m1", ended=""), call("a@x.example", "m2", port=5001, ended="")],
            [hand("m1", "in flight"), hand("m2", "in flight")],
        ),
        ("not an email", [call("", "", metadata={}, batch=[], ended="")], []),
        (
            "a batch",
            [call("a@x.example", "m1", batch=[*call("", "m1")["batch"], *call("", "m2")["batch"]], ended="")],
            [hand("m1", "in flight"), hand("m2", "in flight")],
        ),
    ],
)
def test_messages_in_hand_are_those_on_the_connections(why, calls, expected):
    assert in_hand(calls, {5000, 5001}, NOW) == expected, why


@pytest.mark.parametrize(
    ("end", "after_s", "heard_is_named"),
    [("woke", 2.0, False), ("woke", LEASE_S + 1, True), ("killed", 0.1, True)],
)
def test_log_names_each_attempt_with_an_unrecorded_answer(end, after_s, heard_is_named):
    called = {"message_id": "m1", "attempt": "2", "provider": "ses", "state": "in flight"}
    heard = {"message_id": "m2", "attempt": "1", "provider": "ses", "state": "answered complete"}
    lines = [
        {"at": NOW, "pid": 7, "name": "worker-main", "did": "froze", "messages": [called, heard]},
        {"at": NOW + 0.1, "pid": 8, "name": "relay", "did": "killed", "messages": []},
        {"at": NOW + after_s, "pid": 7, "name": "", "did": end, "messages": []},
    ]
    names = dict(lost_answers(lines))
    assert names["m1", "2"].startswith("worker-main ")
    assert called["state"] in names["m1", "2"]
    assert (("m2", "1") in names) is heard_is_named


class Supervisor:
    def __init__(self, processes):
        self.processes = processes

    def pid(self, name):
        return self.processes[name].pid


@pytest.fixture
def server(tmp_path):
    with simulator(tmp_path) as running:
        running.set_controls(latency_ms=1500)
        yield running


@pytest.fixture
def callers(server):
    processes = {
        name: subprocess.Popen([sys.executable, "-c", CALLER, server.url, name]) for name in ("victim", "bystander")
    }
    try:
        eventually(lambda: server.stats()["in_flight"] == 2)
        yield processes
    finally:
        for process in processes.values():
            process.kill()
            process.wait()


def test_frozen_process_is_logged_with_its_message_and_resumes(server, callers, tmp_path):
    killer = Killer(Supervisor(callers), server, tmp_path / "killer.jsonl")
    frozen = killer.freeze("victim", wait_mid_call=True)
    assert frozen.status() == psutil.STATUS_STOPPED
    assert list(dict(lost_answers(killer.lines))) == [("victim1", "1")]
    killer.wake(frozen)
    eventually(lambda: any(call["metadata"]["mailroom_message_id"] == "victim2" for call in server.calls()))


def test_process_is_logged_before_it_is_killed(server, callers, tmp_path):
    log = tmp_path / "killer.jsonl"
    Killer(Supervisor(callers), server, log).kill("victim", wait_mid_call=True)
    assert callers["victim"].wait(5) == -9
    froze, killed = map(json.loads, log.read_text().splitlines())
    assert (froze["did"], killed["did"]) == ("froze", "killed")
    assert [message["message_id"] for message in froze["messages"]] == ["victim1"]
    assert callers["bystander"].poll() is None
