"""Show on every page of the admin what is paused, and the staging guard."""

from typing import Any

from django import template
from django.template import Context

from notifications import pauses
from notifications.admin.steering.page import may_steer, steering_url
from notifications.admin.steering.pauses import label
from notifications.operations.guard import guard_in_words
from notifications.operations.pausing import is_critical

register = template.Library()


@register.inclusion_tag("admin/notifications/paused.html", takes_context=True)
def paused_email(context: Context) -> dict[str, Any]:
    """For staff who may view messages. Costs at most one small query per second and process."""
    request = context.get("request")
    if request is None or not request.user.has_perm("notifications.view_message"):
        return {}
    found = [(pause, label(pause.what, pause.name), is_critical(pause.what, pause.name)) for pause in pauses.in_force()]
    steering = steering_url() if may_steer(request) else ""
    return {"pauses": found, "steering_url": steering, "guard": guard_in_words()}
