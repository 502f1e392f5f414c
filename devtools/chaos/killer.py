"""Freezes and kills processes; before it kills it writes down what they have in their hands.

That log and the providers' journal are all that may explain a second copy: our own rows are what is on trial.
"""

import json
import os
import signal
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from devtools.chaos.conditions import LEASE_S
from devtools.stack.facts import epoch
from devtools.stack.simulated import Simulated
from devtools.stack.supervision import Supervisor

IN_FLIGHT = "in flight"
# What a process had written before it was frozen has reached the provider after so long.
ARRIVES_S = 0.3
# An answer older than this has been written down by whoever was awake to get it.
FRESH_S = 5.0
# A killer waits at most so long for its victim to be in the middle of a call.
LURKS_S = 3.0
# More than have begun since an answer that is still fresh; while lurking only the newest matter.
LATEST_CALLS, NEWEST_CALLS = "1000", "50"


@dataclass(frozen=True, kw_only=True)
class InHand:
    """A message whose call a process was waiting for, or whose answer it may not have written down yet."""

    message_id: str
    attempt: str
    provider: str
    state: str


def in_hand(calls: Sequence[Mapping[str, Any]], ports: Collection[int], now: float) -> list[InHand]:
    """Return what is in the hands of the process with these ends of connections. `calls`: oldest first.

    A connection carries one call after the other, so only its last one can still be open. Pure.
    """
    last = {call["port"]: call for call in calls if call["port"] in ports}
    return [
        InHand(
            message_id=call["metadata"]["mailroom_message_id"],
            attempt=call["metadata"]["mailroom_attempt"],
            provider=call["provider"],
            state=f"answered {call['ended']}" if call["ended"] else IN_FLIGHT,
        )
        for call in last.values()
        if call["metadata"] and (not call["ended"] or now - epoch(call["ended_at"]) < FRESH_S)
    ]


class Killer:
    def __init__(self, supervisor: Supervisor, simulated: Simulated, log: Path) -> None:
        self.supervisor = supervisor
        self.simulated = simulated
        self.lines: list[dict[str, Any]] = []
        self._log = log

    def freeze(self, name: str, *, lurk: bool) -> psutil.Process:
        """SIGSTOP a program and write down what it has in its hands; `lurk`: catch it in the middle of a call."""
        process = psutil.Process(self.supervisor.pid(name))
        if lurk:
            self._wait_for_a_call(process)
        process.send_signal(signal.SIGSTOP)
        try:
            time.sleep(ARRIVES_S)
            found = in_hand(self.simulated.calls(limit=LATEST_CALLS), self._ports(process), time.time())
            self._write("froze", name, process.pid, found)
        except BaseException:
            # Ctrl-C too: a frozen process would not hear that it is to end.
            process.send_signal(signal.SIGCONT)
            raise
        return process

    def kill(self, name: str, *, lurk: bool) -> None:
        """SIGSTOP, write down, SIGKILL."""
        process = self.freeze(name, lurk=lurk)
        process.kill()
        self._write("killed", name, process.pid, [])

    def wake(self, process: psutil.Process) -> None:
        process.send_signal(signal.SIGCONT)
        self._write("woke", "", process.pid, [])

    def _wait_for_a_call(self, process: psutil.Process) -> None:
        give_up_at = time.monotonic() + LURKS_S
        while time.monotonic() < give_up_at:
            ports = self._ports(process)
            calls = self.simulated.calls(limit=NEWEST_CALLS)
            if any(call["port"] in ports and not call["ended"] for call in calls):
                return
            time.sleep(0.05)

    def _ports(self, process: psutil.Process) -> set[int]:
        """Return its ends of its connections to the simulator."""
        port = int(self.simulated.url.rpartition(":")[2])
        connections = process.net_connections(kind="tcp")
        return {
            connection.laddr.port for connection in connections if connection.raddr and connection.raddr.port == port
        }

    def _write(self, did: str, name: str, pid: int, found: list[InHand]) -> None:
        line = {"at": time.time(), "did": did, "name": name, "pid": pid, "messages": [asdict(one) for one in found]}
        self.lines.append(line)
        with self._log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
            log.flush()
            os.fsync(log.fileno())


def named(lines: Sequence[Mapping[str, Any]]) -> Iterator[tuple[tuple[str, str], str]]:
    """Return (message id, attempt) and what the killer's log says of it. Pure.

    Whoever woke again before its lease was over had lost no answer that it had already got.
    """
    for place, line in enumerate(lines):
        forgot = _never_came_back(line, lines[place + 1 :])
        for message in line["messages"]:
            if not forgot and message["state"] != IN_FLIGHT:
                continue
            key = (message["message_id"], message["attempt"])
            yield key, f"{line['name']} was {line['did'].replace('froze', 'frozen')} while it was {message['state']}"


def _never_came_back(line: Mapping[str, Any], later: Sequence[Mapping[str, Any]]) -> bool:
    """True if the process was killed, or woke too late to say what it had."""
    end = next((one for one in later if one["pid"] == line["pid"]), None)
    return end is None or end["did"] == "killed" or end["at"] - line["at"] > LEASE_S
