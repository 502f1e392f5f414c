"""`{% load mailroom %}`: what pages show of an email (docs/how-to/show-progress.md)."""

import time
from datetime import datetime
from typing import Any
from uuid import UUID

from django import template
from django.template import Context

from notifications.pages.progress_link import ProgressLink
from notifications.pages.shown import OnPage, Shown

register = template.Library()


@register.inclusion_tag("notifications/progress/tag.html", takes_context=True)
def email_progress(
    context: Context,
    message: Any,
    *,
    address: str = "",
    hint: str = "",
    resend: bool | str = False,
    correct: bool | str = False,
    **waiting: Any,
) -> dict[str, Any]:
    """Show how far a message has come, live.

    `message`: what `enqueue` returned, or an id. `hint`: a sentence on what to do then. `resend`, `correct`: True for
    the engine's, or the URL of the page's view. For a page that renews the part itself, `waiting` has `since`, `page`,
    `poll_url` and `wait_s`.
    """
    request = context.get("request")
    since, page = waiting.pop("since", None), waiting.pop("page", "")
    link = ProgressLink(
        message_id=_id_of(message),
        since=_seconds(since),
        page=page or (request.get_full_path() if request else ""),
        address=str(address or getattr(message, "to_address", "")),
        hint=str(hint),
        resend=resend if resend is True else str(resend or ""),
        correct=correct if correct is True else str(correct or ""),
    )
    return {
        "shown": Shown(link, OnPage(**waiting)),
        "request": request,
        "csrf_token": context.get("csrf_token"),
    }


def _id_of(message: Any) -> UUID:
    found = getattr(message, "id", message)
    return found if isinstance(found, UUID) else UUID(str(found))


def _seconds(since: datetime | float | None) -> int:
    if isinstance(since, datetime):
        return int(since.timestamp())
    return int(time.time() if since is None else since)
