"""Link the next step of an explanation, for staff who may take it."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from notifications.admin.suppression import OF_MESSAGE
from notifications.models import Message
from notifications.support.diagnosis import NextStep
from notifications.support.explain import Recommendation


@dataclass(frozen=True, kw_only=True)
class StepPage:
    """The page of a step. `permissions`: what it needs besides viewing messages."""

    name: str
    text: str | Promise
    permissions: tuple[str, ...] = ()
    is_of_target: bool = True


_RESEND = ("notifications.resend_message",)
_STEERING = StepPage(
    name="notifications_steering",
    text=_("Open Steering"),
    permissions=("notifications.steer_email",),
    is_of_target=False,
)
_DASHBOARD = StepPage(name="notifications_dashboard", text=_("Open the dashboard"), is_of_target=False)
PAGES = {
    NextStep.RETRY_NOW: StepPage(name="notifications_message_resend", text=_("Retry now …"), permissions=_RESEND),
    NextStep.RESEND: StepPage(name="notifications_message_resend", text=_("Send again …"), permissions=_RESEND),
    NextStep.REPLAY: StepPage(
        name="notifications_message_resend", text=_("Replay …"), permissions=("notifications.replay_message",)
    ),
    NextStep.SETTLE: StepPage(
        name="notifications_uncertainmessage_settle",
        text=_("Settle …"),
        permissions=("notifications.settle_message",),
    ),
    NextStep.LIFT_SUPPRESSION: StepPage(
        name="notifications_suppression_lift",
        text=_("Lift the suppression …"),
        permissions=("notifications.view_suppression", "notifications.lift_suppression"),
    ),
    NextStep.OPEN_COPY: StepPage(name="notifications_message_change", text=_("Open the copy")),
    **dict.fromkeys((NextStep.RELEASE_HELD, NextStep.RESUME), _STEERING),
    **dict.fromkeys((NextStep.CHECK_STATUS, NextStep.CHECK_PROVIDER, NextStep.RESTART_WORKERS), _DASHBOARD),
}


def step_link(request: HttpRequest, message: Message, step: Recommendation) -> tuple[str, str | Promise] | None:
    # None if there is no page, or another person has to take the step.
    page = PAGES.get(step.code)
    if page is None or not request.user.has_perms(page.permissions):
        return None
    url = reverse(f"admin:{page.name}", args=[step.target] if page.is_of_target else [])
    # A suppression has other messages too; its page leads back to this one.
    query = f"?{urlencode({OF_MESSAGE: message.id})}" if step.code is NextStep.LIFT_SUPPRESSION else ""
    return f"{url}{query}", page.text
