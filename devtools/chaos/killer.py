"""Freezes and kills processes, after logging their calls in progress.

Only this log and the providers' journal may explain a second copy, because the database's rows are under test.
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
# By then everything that a process wrote before the freeze has reached the provider.
ARRIVES_S = 0.3
# The process has recorded answers older than this.
FRESH_S = 5.0
# The killer waits at most this long for a call in progress.
MID_CALL_WITHIN_S = 3.0
# More than the calls since the oldest fresh answer; and enough to find a call that has just begun.
LATEST_CALLS, NEWEST_CALLS = "1000", "50"


@dataclass(frozen=True, kw_only=True)
class InHand:
    """A message with a call in progress, or an answer that may not be recorded."""

    message_id: str
    attempt: str
    provider: str
    state: str


def in_hand(calls: Sequence[Mapping[str, Any]], ports: Collection[int], now: float) -> list[InHand]:
    """Return the messages in progress on connections with these local ports. `calls`: oldest first.

    A connection has one call at a time, so only its last one can still be open.
    """
    last = {call["port"]: call for call in calls if call["port"] in ports}
    return [
        InHand(
            message_id=metadata["mailroom_message_id"],
            attempt=metadata["mailroom_attempt"],
            provider=call["provider"],
            state=f"answered {call['ended']}" if call["ended"] else IN_FLIGHT,
        )
        for call in last.values()
        for metadata in call["batch"]
        if metadata and (not call["ended"] or now - epoch(call["ended_at"]) < FRESH_S)
    ]


class Killer:
    def __init__(self, supervisor: Supervisor, simulated: Simulated, log: Path) -> None:
        self.supervisor = supervisor
        self.simulated = simulated
        self.lines: list[dict[str, Any]] = []
        self._log = log

    def freeze(self, name: str, *, wait_mid_call: bool) -> psutil.Process:
        """SIGSTOP a program, with `wait_mid_call` during a provider call, and log its messages in progress."""
        process = psutil.Process(self.supervisor.pid(name))
        if wait_mid_call:
            self._wait_mid_call(process)
        process.send_signal(signal.SIGSTOP)
        try:
            time.sleep(ARRIVES_S)
            found = in_hand(self.simulated.calls(limit=LATEST_CALLS), self._ports(process), time.time())
            self._write("froze", name, process.pid, found)
        except BaseException:
            # Also after Ctrl-C: a frozen process would not react to the signal to end.
            process.send_signal(signal.SIGCONT)
            raise
        return process

    def kill(self, name: str, *, wait_mid_call: bool) -> None:
        process = self.freeze(name, wait_mid_call=wait_mid_call)
        process.kill()
        self._write("killed", name, process.pid, [])

    def wake(self, process: psutil.Process) -> None:
        process.send_signal(signal.SIGCONT)
        self._write("woke", "", process.pid, [])

    def _wait_mid_call(self, process: psutil.Process) -> None:
        give_up_at = time.monotonic() + MID_CALL_WITHIN_S
        while time.monotonic() < give_up_at:
            ports = self._ports(process)
            calls = self.simulated.calls(limit=NEWEST_CALLS)
            if any(call["port"] in ports and not call["ended"] for call in calls):
                return
            time.sleep(0.05)

    def _ports(self, process: psutil.Process) -> set[int]:
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


def lost_answers(lines: Sequence[Mapping[str, Any]]) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield (message id, attempt) and why its answer may be lost.

    A process that was resumed within its lease has not lost the answers that it had received.
    """
    for place, line in enumerate(lines):
        lost_all = _never_came_back(line, lines[place + 1 :])
        for message in line["messages"]:
            if not lost_all and message["state"] != IN_FLIGHT:
                continue
            key = (message["message_id"], message["attempt"])
            did = line["did"].replace("froze", "frozen")
            yield key, f"{line['name']} was {did} while the call was {message['state']}"


def _never_came_back(line: Mapping[str, Any], later: Sequence[Mapping[str, Any]]) -> bool:
    # Killed, or resumed after its lease.
    end = next((one for one in later if one["pid"] == line["pid"]), None)
    return end is None or end["did"] == "killed" or end["at"] - line["at"] > LEASE_S
