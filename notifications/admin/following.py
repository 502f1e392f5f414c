"""Follow messages live in the admin: queued, sent, delivered, or why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_safe

from notifications.admin.confirmed import ConfirmedAction, message_url
from notifications.admin.large_lists import as_uuid
from notifications.conf import settings
from notifications.models import Message
from notifications.providers import registry
from notifications.rules.outcomes import Outcome
from notifications.rules.states import Status
from notifications.support.reasons import reason_in_words
from notifications.support.sentences import when

#: More are not followed: their ids would not fit into an address.
MOST_FOLLOWED = 20
# Reports of a delivery come within minutes, or much later.
REPORTED_S = 600
RECENT_S = 120
_FINAL = {Outcome.DELIVERED, Outcome.BOUNCED, Outcome.COMPLAINED, Outcome.REJECTED}
_FAILED = {Outcome.BOUNCED, Outcome.REJECTED}


class StepState(StrEnum):
    DONE = "done"
    CURRENT = "current"
    FAILED = "failed"
    OPEN = "open"


@dataclass(frozen=True, kw_only=True)
class ProgressStep:
    label: str | Promise
    state: StepState
    at: datetime | None = None

    @property
    def when(self) -> str:
        # To the second today, else the day.
        if self.at is None:
            return ""
        there, today = timezone.localtime(self.at), timezone.localdate()
        return date_format(there, "H:i:s" if there.date() == today else "SHORT_DATETIME_FORMAT")


@dataclass(frozen=True, kw_only=True)
class Followed:
    message: Message
    steps: Sequence[ProgressStep]
    reason: str
    is_final: bool

    @property
    def due(self) -> str:
        # "at 10:02" or "on May 3"; empty if it waits for no time.
        now = timezone.now()
        waits = self.message.status == Status.QUEUED and self.message.due_at > now
        return when(self.message.due_at, now) if waits else ""


_TEMPLATES = "admin/notifications/message"
_SENT = pgettext_lazy("status", "Sent")
_DELIVERED = pgettext_lazy("outcome", "Delivered")


def steps(message: Message, *, reports: bool) -> list[ProgressStep]:
    """Return how far a message has come. `reports`: its provider reports deliveries."""
    status = Status(message.status)
    waits = StepState.CURRENT if status is Status.QUEUED else StepState.DONE
    return [
        ProgressStep(label=Status.QUEUED.label, state=waits, at=message.created_at),
        _sent(message, status),
        *([_delivered(message, status)] if reports else []),
    ]


def _sent(message: Message, status: Status) -> ProgressStep:
    if status is Status.SENT:
        return ProgressStep(label=_SENT, state=StepState.DONE, at=message.sent_at)
    if status is Status.QUEUED:
        return ProgressStep(label=_SENT, state=StepState.OPEN)
    state = StepState.CURRENT if status in {Status.SENDING, Status.UNCERTAIN} else StepState.FAILED
    return ProgressStep(label=status.label, state=state, at=message.died_at)


def _delivered(message: Message, status: Status) -> ProgressStep:
    outcome = Outcome(message.outcome)
    if status is not Status.SENT:
        return ProgressStep(label=_DELIVERED, state=StepState.OPEN)
    if outcome in _FAILED:
        return ProgressStep(label=outcome.label, state=StepState.FAILED, at=message.outcome_at)
    if outcome is Outcome.DEFERRED:
        return ProgressStep(label=outcome.label, state=StepState.CURRENT, at=message.outcome_at)
    state = StepState.CURRENT if outcome is Outcome.UNKNOWN else StepState.DONE
    label = _DELIVERED if outcome is Outcome.UNKNOWN else outcome.label
    return ProgressStep(label=label, state=state, at=message.outcome_at)


def is_final(message: Message, *, reports: bool, age_s: float) -> bool:
    """Return whether nothing more is expected. `age_s`: since it was sent."""
    if message.status != Status.SENT:
        return message.status not in {Status.QUEUED, Status.SENDING, Status.UNCERTAIN}
    return message.outcome in _FINAL or not reports or age_s > REPORTED_S


def followed_part(messages: Sequence[Message]) -> dict[str, Any]:
    """Return what the part of a page needs that refreshes itself while its messages change."""
    followed = [_followed(message) for message in messages]
    is_recent = any(_age_s(message.created_at) < RECENT_S for message in messages)
    return {
        "followed": followed,
        "live_url": "" if all(each.is_final for each in followed) else part_url([one.id for one in messages]),
        # Slower for messages that wait long.
        "live_s": 1 if is_recent else 10,
    }


def follow_url(ids: Sequence[UUID]) -> str:
    """Return the page that follows these messages; empty if they are too many."""
    if len(ids) == 1:
        return message_url(ids[0])
    return f"{reverse('admin:notifications_message_follow')}?{_query(ids)}" if 0 < len(ids) <= MOST_FOLLOWED else ""


def part_url(ids: Sequence[UUID]) -> str:
    return f"{reverse('admin:notifications_message_follow_part')}?{_query(ids)}"


def _query(ids: Sequence[UUID]) -> str:
    return urlencode([("id", id_) for id_ in ids])


class FollowPages(ConfirmedAction):
    """The page that follows messages, and its live part."""

    def get_urls(self) -> list[URLPattern]:
        page, part = (self.admin_site.admin_view(require_safe(view)) for view in (self.follow_view, self.part_view))
        own = [
            path("follow/", page, name="notifications_message_follow"),
            path("follow/part/", part, name="notifications_message_follow_part"),
        ]
        return [*own, *super().get_urls()]

    def follow_view(self, request: HttpRequest) -> HttpResponseBase:
        context = {**self.admin_site.each_context(request), "title": _("Sent again"), "opts": self.opts}
        return TemplateResponse(request, f"{_TEMPLATES}/follow.html", {**context, **self._live_part(request)})

    def part_view(self, request: HttpRequest) -> HttpResponseBase:
        return TemplateResponse(request, f"{_TEMPLATES}/followed.html", self._live_part(request))

    def _live_part(self, request: HttpRequest) -> dict[str, Any]:
        if not self.has_view_permission(request):
            raise PermissionDenied
        ids = [number for text in request.GET.getlist("id") if (number := as_uuid(text))][:MOST_FOLLOWED]
        found = Message.objects.in_bulk(ids)
        return followed_part([found[id_] for id_ in ids if id_ in found])


def _followed(message: Message) -> Followed:
    # Before the first attempt, the preferred provider is expected.
    reports = registry.reports(message.provider or next(iter(settings.EMAIL_PROVIDERS), ""))
    return Followed(
        message=message,
        steps=steps(message, reports=reports),
        reason=reason_in_words(message),
        is_final=is_final(message, reports=reports, age_s=_age_s(message.sent_at or message.created_at)),
    )


def _age_s(moment: datetime) -> float:
    return (timezone.now() - moment).total_seconds()
