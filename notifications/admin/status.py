"""The status page, and what it shows."""

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from notifications.delivery import breaker
from notifications.operations.problems import SILENT_S, problems
from notifications.operations.status import MOST, Circuit, Status, collect

REFRESH_S = 5


def now() -> Status:
    """Return how everything stands. Raises Django's database errors."""
    return collect(circuits())


def circuits() -> list[Circuit]:
    return [
        Circuit(provider=provider, state=standing.state, reason=standing.reason, probes_in_s=standing.probes_in_s)
        for provider, standing in breaker.standings().items()
    ]


@require_safe
def page(request: HttpRequest) -> HttpResponseBase:
    """Everything at a glance, anew every few seconds. For staff who may see messages."""
    if not request.user.has_perm("notifications.view_message"):
        raise PermissionDenied
    status = now()
    shown = {circuit.provider: circuit for circuit in status.circuits}
    context = {
        **admin.site.each_context(request),
        "title": "Status",
        "status": status,
        "providers": [(name, shown.get(name), sent) for name, sent in status.sent_per_minute.items()],
        "problems": problems(status),
        "most": MOST,
        "silent_s": SILENT_S,
        "refresh_s": REFRESH_S,
        "flower_url": settings.FLOWER_URL,
    }
    return TemplateResponse(request, "admin/status.html", context)
