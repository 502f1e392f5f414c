"""What the dashboard shows of the present: queues, providers, processes."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from notifications.breaker.permits import CircuitState
from notifications.budget.usage import Usage, usages
from notifications.operations.figures import Brake, Dead, Lane, ProcessState, SystemStatus, Traffic
from notifications.operations.history import History, Speed
from notifications.operations.problems import findings, is_silent
from notifications.operations.status import bounced, many
from notifications.operations.wording import (
    circuit_in_words,
    duration,
    grouped,
    next_probe,
    short_duration,
    time_until,
    trouble_in_words,
    two_digits,
)
from notifications.rules.states import Stream

MOST_CAUSES_SHOWN = 10
CIRCUITS = {
    "closed": pgettext_lazy("circuit", "Closed"),
    "open": pgettext_lazy("circuit", "Open"),
    "probing": pgettext_lazy("circuit", "Probing"),
}


def now_shown(status: SystemStatus, history: History) -> dict[str, Any]:
    circuits = {circuit.provider: circuit for circuit in status.circuits}
    used = usages(traffic.provider for traffic in status.traffic)
    found = findings(status)
    return {
        "findings": found,
        "problems": sum(finding.is_problem for finding in found),
        "lanes": [_lane(lane, history) for lane in status.lanes],
        "providers": [
            _provider(traffic, circuits.get(traffic.provider), used.get(traffic.provider)) for traffic in status.traffic
        ],
        "processes": [_process(process) for process in status.processes],
        "sending": many(status.sending),
        "uncertain": many(status.uncertain),
        "held": many(status.held),
        "brake": _brake(status.brake),
        "dead": [_dead(dead) for dead in status.dead[:MOST_CAUSES_SHOWN]],
        "other_causes": len(status.dead[MOST_CAUSES_SHOWN:]),
    }


def _lane(lane: Lane, history: History) -> dict[str, Any]:
    return {
        "name": lane.stream.value,
        "label": lane.stream.label,
        "due": many(lane.due),
        "later": many(lane.later),
        "published": "?" if lane.published is None else many(lane.published),
        "oldest": duration(lane.oldest_s) if lane.due else "",
        "minute": many(lane.minute),
        "pace": "" if lane.pace is None else f"{lane.pace:.3g}",
        "unserved": lane.served is False,
        "paused": many(lane.paused) if lane.paused else "",
        "day": _speed(history.speed, lane.stream),
        "recent": _speed(history.recent, lane.stream),
    }


def _speed(speeds: Mapping[Stream, Speed], stream: Stream) -> dict[str, str]:
    speed = speeds[stream]
    times = {"p50": speed.p50_s, "p95": speed.p95_s, "delivered": speed.to_delivered_p50_s}
    return {name: "" if time is None else short_duration(time) for name, time in times.items()}


def _provider(traffic: Traffic, circuit: CircuitState | None, usage: Usage | None) -> dict[str, Any]:
    more = "+" if traffic.more else ""
    return {
        "name": traffic.provider,
        "minute": many(traffic.minute),
        "hour": f"{grouped(traffic.hour)}{more}",
        "failed": f"{grouped(traffic.failed)}{more}",
        "circuit": CIRCUITS[circuit.state] if circuit else "",
        "error": circuit_in_words(circuit.reason) if circuit else "",
        "next_probe": next_probe(circuit) if circuit else "",
        "shut": circuit is not None and circuit.state != "closed",
        **_usage(usage),
    }


def _usage(usage: Usage | None) -> dict[str, Any]:
    if usage is None:
        return {"rate": "?", "daily": "?"}
    return {
        "rate": _("no limit") if usage.rate is None else f"{two_digits(usage.rate)}/s",
        "throttled": f"{usage.throttled:.0%}" if usage.throttled < 1 else "",
        "daily": _("no limit") if usage.daily is None else f"{grouped(usage.used)} / {grouped(usage.daily)}",
        "is_spent": usage.daily is not None and usage.used >= usage.daily,
    }


def _process(process: ProcessState) -> dict[str, Any]:
    silent = is_silent(process)
    return {
        "name": process.name,
        "ago": duration(process.silent_s),
        "says": _("No heartbeat") if silent else trouble_in_words(process.trouble) or _("OK"),
        "is_unhealthy": silent or bool(process.trouble),
    }


def _brake(brake: Brake) -> dict[str, Any]:
    return {
        "window_min": brake.window_min,
        "share": bounced(brake) or _("none"),
        "last_sent": time_until(brake.queue_s) if brake.queue_s else "",
        "is_unhealthy": brake.on,
    }


def _dead(dead: Dead) -> dict[str, Any]:
    return {
        "cause": dead.cause or _("No recorded error"),
        "fingerprint": dead.cause,
        "hour": many(dead.hour),
        "day": many(dead.day),
        "ever": many(dead.ever),
    }
