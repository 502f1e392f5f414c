"""The steering page. The operator confirms each act first."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from notifications import pauses, users
from notifications.admin.confirmed import acting_operator
from notifications.admin.dashboard_now import CIRCUITS
from notifications.admin.large_lists import FORM_EXPIRED
from notifications.admin.steering.act import Act, NotDoneError
from notifications.admin.steering.brake import DropAct, ReleaseAct
from notifications.admin.steering.cancelling import CancelAct
from notifications.admin.steering.circuits import CloseCircuit, OpenCircuit
from notifications.admin.steering.pauses import PauseAct, ResumeAct, label
from notifications.bounce_brake import brake
from notifications.breaker import permits
from notifications.models import Pause
from notifications.operations.wording import circuit_in_words, next_probe
from notifications.outbox import brake_queue
from notifications.outbox.scheduled import next_scheduled

ACTS: Mapping[str, type[Act]] = {
    act.name: act for act in (PauseAct, ResumeAct, CloseCircuit, OpenCircuit, ReleaseAct, DropAct, CancelAct)
}
#: Acts with a form on the page.
WITH_FIELDS = {PauseAct.name, CancelAct.name}
MOST_LOGGED = 20
MOST_SCHEDULED = 100


@require_http_methods(["GET", "HEAD", "POST"])
def steering_page(request: HttpRequest) -> HttpResponseBase:
    """Show the page; ask before an act, and do it when it is confirmed. A GET changes nothing."""
    if not may_steer(request):
        raise PermissionDenied
    if request.method != "POST":
        return _page(request)
    act_class = ACTS.get(request.POST.get("act", ""))
    if act_class is None:
        return _back(request, messages.ERROR, str(FORM_EXPIRED))
    act = act_class(request.POST)
    if "back" in request.POST and act.name in WITH_FIELDS:
        return _page(request, act)
    if not act.is_valid():
        # The others are buttons without fields, so the page that they were on is outdated.
        is_shown = act.name in WITH_FIELDS
        return _page(request, act) if is_shown else _back(request, messages.ERROR, str(FORM_EXPIRED))
    try:
        return _do(request, act) if "confirmed" in request.POST else _ask(request, act)
    except NotDoneError as error:
        return _back(request, messages.WARNING, str(error))


@require_safe
def scheduled_page(request: HttpRequest) -> HttpResponseBase:
    """List the messages that are due later."""
    if not may_steer(request):
        raise PermissionDenied
    context = {
        **admin.site.each_context(request),
        "title": _("Scheduled messages"),
        "scheduled": next_scheduled(MOST_SCHEDULED),
        "most": MOST_SCHEDULED,
        "steering_url": steering_url(),
    }
    return TemplateResponse(request, "admin/notifications/steering/scheduled.html", context)


def may_steer(request: HttpRequest) -> bool:
    return request.user.has_perms(["notifications.view_message", "notifications.steer_email"])


def _do(request: HttpRequest, act: Act) -> HttpResponseBase:
    operator = acting_operator(request)
    done = act.do(users.display_name(operator) or operator.get_username())
    LogEntry.objects.create(
        user_id=operator.pk,
        content_type=ContentType.objects.get_for_model(Pause),
        object_repr=done.target[:200],
        action_flag=CHANGE,
        change_message=done.text,
    )
    if done.is_more:
        messages.warning(request, _("%(done)s More are left; confirm again to go on.") % {"done": done.text})
        return _ask(request, act)
    return _back(request, messages.SUCCESS, done.text)


def _ask(request: HttpRequest, act: Act) -> TemplateResponse:
    question = act.ask()
    context = {
        **admin.site.each_context(request),
        "title": question.title,
        "question": question,
        "act": act.name,
        "keeps_fields": act.name in WITH_FIELDS,
        "values": [(field.html_name, act.data.get(field.html_name, "")) for field in act],
        "steering_url": steering_url(),
    }
    return TemplateResponse(request, "admin/notifications/steering/confirmation.html", context)


def _back(request: HttpRequest, level: int, text: str) -> HttpResponseRedirect:
    messages.add_message(request, level, text)
    return HttpResponseRedirect(steering_url())


def steering_url() -> str:
    return reverse("admin:notifications_steering")


def _page(request: HttpRequest, invalid: Act | None = None) -> TemplateResponse:
    forms: dict[str, Act] = {"pause": PauseAct(), "cancel": CancelAct()}
    if invalid is not None:
        forms[invalid.name] = invalid
    context = {
        **admin.site.each_context(request),
        "title": _("Steering"),
        "pauses": [_pause(pause) for pause in Pause.objects.in_force()],
        "circuits": [_circuit(state) for state in permits.states()],
        "brake_is_on": brake.is_on(),
        "held": brake_queue.waiting_count(),
        "domains": brake_queue.domains(),
        "pause_form": forms["pause"],
        "cancel_form": forms["cancel"],
        "log": _log(),
        "steering_url": steering_url(),
    }
    return TemplateResponse(request, "admin/notifications/steering/page.html", context)


def _pause(pause: Pause) -> dict[str, Any]:
    return {"pause": pause, "label": label(pause.what, pause.name)}


def _circuit(state: permits.CircuitState) -> dict[str, Any]:
    return {
        "provider": state.provider,
        "circuit": CIRCUITS[state.state],
        "is_closed": state.state == "closed",
        "is_paused": state.provider in pauses.paused_providers(),
        "reason": circuit_in_words(state.reason),
        "next_probe": next_probe(state),
    }


def _log() -> list[tuple[LogEntry, str]]:
    # A deleted account has left only its number.
    entries = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(Pause))
    newest = list(entries.order_by("-action_time")[:MOST_LOGGED])
    found = get_user_model().objects.in_bulk({entry.user_id for entry in newest})
    return [(entry, _name(found.get(entry.user_id))) for entry in newest]


def _name(user: Any) -> str:
    return (users.display_name(user) or user.get_username()) if user else _("deleted account")
