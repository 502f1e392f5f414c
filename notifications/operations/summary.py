"""The status as plain data, for monitors."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from notifications.models import alert
from notifications.operations.current import current_status
from notifications.operations.figures import Lane
from notifications.operations.finding import StatusFinding


def status_summary() -> dict[str, Any]:
    """Return the problems, and the figures unless the database does not answer."""
    status, found = current_status()
    since = alert.began_at() if status else {}
    problems = [_described(finding, since) for finding in found if finding.is_problem]
    notices = [_described(finding, since) for finding in found if not finding.is_problem]
    summary = {"ok": not problems, "problems": problems, "notices": notices}
    if status is None:
        return summary
    return summary | {
        "streams": {lane.stream.value: _figures(lane) for lane in status.lanes},
        "providers": [asdict(traffic) for traffic in status.traffic],
        "circuits": [asdict(circuit) for circuit in status.circuits],
        "processes": [asdict(process) for process in status.processes],
        "sending": status.sending,
        "uncertain": {"settled_automatically": status.uncertain, "needs_decision": status.held},
        "dead": sum(dead.ever for dead in status.dead),
    }


def _described(finding: StatusFinding, since: Mapping[str, datetime]) -> dict[str, Any]:
    # Beat records when a problem began, within seconds after it did.
    return {"code": finding.code, "text": finding.sentence, "since": since.get(finding.code)}


def _figures(lane: Lane) -> dict[str, Any]:
    figures = asdict(lane)
    del figures["stream"]
    return figures
