"""The status page of the admin."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_safe

from notifications.breaker.permits import CircuitState
from notifications.conf import settings
from notifications.operations.figures import Brake, Dead, Lane, ProcessState, SystemStatus, Traffic
from notifications.operations.problems import findings, is_silent
from notifications.operations.status import bounced, collect, many
from notifications.operations.wording import circuit_in_words, duration, grouped, trouble_in_words

REFRESH_S = 5
MOST_CAUSES_SHOWN = 10
CIRCUITS = {
    "closed": pgettext_lazy("circuit", "Closed"),
    "open": pgettext_lazy("circuit", "Open"),
    "probing": pgettext_lazy("circuit", "Probing"),
}


@require_safe
def status_page(request: HttpRequest) -> HttpResponseBase:
    # Refreshes every few seconds. For staff who may see messages.
    if not request.user.has_perm("notifications.view_message"):
        raise PermissionDenied
    status = collect()
    context = {
        **admin.site.each_context(request),
        **_shown(status),
        "title": _("Status"),
        "findings": findings(status),
        "refresh_s": REFRESH_S,
        "flower_url": settings.FLOWER_URL,
        "messages_url": reverse("admin:notifications_message_changelist"),
        "uncertain_url": reverse("admin:notifications_uncertainmessage_changelist"),
        "dead_url": reverse("admin:notifications_deadletter_changelist"),
    }
    return TemplateResponse(request, "admin/notifications/status.html", context)


def _shown(status: SystemStatus) -> dict[str, Any]:
    known = {circuit.provider: circuit for circuit in status.circuits}
    return {
        "lanes": [_lane(lane) for lane in status.lanes],
        "providers": [_provider(traffic, known.get(traffic.provider)) for traffic in status.traffic],
        "processes": [_process(process) for process in status.processes],
        "sending": many(status.sending),
        "uncertain": many(status.uncertain),
        "held": many(status.held),
        "brake": _brake(status.brake),
        "dead": [_dead(dead) for dead in status.dead[:MOST_CAUSES_SHOWN]],
        "other_causes": len(status.dead[MOST_CAUSES_SHOWN:]),
    }


def _lane(lane: Lane) -> dict[str, Any]:
    return {
        "name": lane.stream.value,
        "label": lane.stream.label,
        "due": many(lane.due),
        "later": many(lane.later),
        "published": "?" if lane.published is None else many(lane.published),
        "oldest": duration(lane.oldest_s) if lane.due else "",
        "pace": "" if lane.pace is None else f"{lane.pace:.3g}",
        "unserved": lane.served is False,
    }


def _provider(traffic: Traffic, circuit: CircuitState | None) -> dict[str, Any]:
    more = "+" if traffic.more else ""
    return {
        "name": traffic.provider,
        "minute": many(traffic.minute),
        "hour": f"{grouped(traffic.hour)}{more}",
        "failed": f"{grouped(traffic.failed)}{more}",
        "circuit": CIRCUITS[circuit.state] if circuit else "",
        "error": circuit_in_words(circuit.reason) if circuit else "",
        "next_try": duration(circuit.probes_in_s) if circuit and circuit.probes_in_s is not None else "",
        "shut": circuit is not None and circuit.state != "closed",
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
        "queue": duration(brake.queue_s) if brake.queue_s else "",
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
