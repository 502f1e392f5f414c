"""Resending in the admin: preview the result for each message, then do exactly that, once."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from notifications.admin import chosen as page
from notifications.delivery import forecast
from notifications.kinds import UnknownKindError
from notifications.models import Message
from notifications.outbox import NotResentError, resend
from notifications.outbox.resend import Obstacle, ResendState, require_resendable, resend_states
from notifications.outbox.retry_now import retry_now, waiting
from notifications.rules.addresses import BadAddressError
from notifications.rules.states import Status

MOST_AT_ONCE = 500
# So many reasons are told one by one; more are only counted.
MOST_TOLD = 5


@dataclass(frozen=True, kw_only=True)
class Line:
    """One message of the confirmation page. `reason` is empty if a copy of it would be sent."""

    message: Message
    state: ResendState
    reason: str
    retries: bool

    @property
    def goes(self) -> bool:
        return not self.reason

    @property
    def field(self) -> str:
        return page.written(self.message.id, self.state.copies)


def lines(ids: Iterable[UUID]) -> list[Line]:
    """Return the preview of a resend. Raises database errors."""
    found = list(Message.objects.filter(id__in=list(ids)).select_related("user"))
    state_of, retried = resend_states(found), waiting(message.id for message in found)
    skips = {message.id: skip for message, skip in forecast.resend_skips(found)}
    made = []
    for message in found:
        skip, state = skips.get(message.id), state_of[message.id]
        reason = state.reason or (f"It would not be sent: {skip.reason}." if skip else "")
        made.append(Line(message=message, state=state, reason=reason, retries=message.id in retried))
    return made


class ResendViews(admin.ModelAdmin):
    """The action and the pages of a resend, for MessageAdmin."""

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("notifications.resend_message")

    @admin.action(description="Resend selected messages …", permissions=["resend"])
    def resend_selected(self, request: HttpRequest, queryset: QuerySet[Message]) -> HttpResponseBase | None:
        ids = list(queryset.values_list("id", flat=True)[: MOST_AT_ONCE + 1])
        if len(ids) > MOST_AT_ONCE:
            self.message_user(request, _too_many(), messages.ERROR)
            return None
        return self._ask(request, ids)

    def resend_view(self, request: HttpRequest, message_id: UUID | None = None) -> HttpResponseBase:
        # GET asks about one message; POST resends or retries those of the confirmation page.
        if not self.has_resend_permission(request):
            raise PermissionDenied
        try:
            chosen = {message_id: None} if message_id else page.parse(request.POST.getlist("message"))
            request_id = UUID(request.POST["request_id"]) if request.method == "POST" else None
        except (ValueError, KeyError):
            return self._refused(request, "This form has expired. Nothing was resent.")
        if len(chosen) > MOST_AT_ONCE:
            return self._refused(request, _too_many())
        if request_id is None:
            return self._ask(request, list(chosen))
        if "retry" in request.POST:
            return self._retried(request, chosen)
        return self._resent(request, chosen, request_id)

    def _refused(self, request: HttpRequest, text: str) -> HttpResponseRedirect:
        self.message_user(request, text, messages.ERROR)
        return _to_list()

    def _resent(self, request: HttpRequest, chosen: page.Chosen, request_id: UUID) -> HttpResponseRedirect:
        made, refusals = [], []
        for line in lines(chosen):
            try:
                made.append(self._resend(request, line, request_id, copies=chosen[line.message.id] or 1))
            except (NotResentError, UnknownKindError, BadAddressError) as error:
                refusals.append((line.message, str(error)))
        self._say(request, made, refusals)
        return HttpResponseRedirect(message_url(made[0])) if len(made) == 1 else _to_list()

    def _resend(self, request: HttpRequest, line: Line, request_id: UUID, *, copies: int) -> Message:
        require_resendable(line.state, copies)
        if line.reason:
            raise NotResentError(Obstacle.WOULD_BE_SKIPPED, reason=line.reason)
        with transaction.atomic():
            new = resend(line.message, request_id, copies=copies)
            self.log_change(request, line.message, f"Resent as {new.id}.")
        return new

    def _retried(self, request: HttpRequest, chosen: page.Chosen) -> HttpResponseRedirect:
        count = 0
        for message in Message.objects.filter(id__in=list(chosen)):
            with transaction.atomic():
                if retry_now(message):
                    self.log_change(request, message, "Retried now.")
                    count += 1
        text = f"{count:,} of {len(chosen):,} will be retried now."
        if moved := len(chosen) - count:
            text += f" {moved:,} had no retry to wait for."
        self.message_user(request, text, messages.SUCCESS if count else messages.WARNING)
        return HttpResponseRedirect(message_url(next(iter(chosen)))) if len(chosen) == 1 else _to_list()

    def _say(self, request: HttpRequest, made: Sequence[Message], refusals: Sequence[tuple[Message, str]]) -> None:
        queued = [message for message in made if message.status == Status.QUEUED]
        if queued:
            self.message_user(request, _queued(queued), messages.SUCCESS)
        # The address was suppressed between the forecast and the resend.
        kept_back = [
            (message, f"It is kept back: {message.status_reason}.") for message in made if message not in queued
        ]
        if not made:
            self.message_user(request, "Nothing was resent.", messages.WARNING)
        for text in _reasons([*kept_back, *refusals]):
            self.message_user(request, text, messages.WARNING)

    def _ask(self, request: HttpRequest, ids: Sequence[UUID]) -> TemplateResponse:
        found = lines(ids)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": "Resend messages" if len(found) != 1 else "Resend this message",
            "opts": self.opts,
            "lines": found,
            "going": [line for line in found if line.goes],
            "retrying": [line for line in found if line.retries],
            "uncertain": [line for line in found if line.message.status == Status.UNCERTAIN],
            "dead": [line for line in found if line.message.status == Status.DEAD],
            "request_id": uuid4(),
        }
        return TemplateResponse(request, "admin/notifications/message/resend.html", context)


def message_url(message: Message | UUID) -> str:
    return reverse("admin:notifications_message_change", args=[getattr(message, "id", message)])


def _to_list() -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:notifications_message_changelist"))


def _too_many() -> str:
    return f"At most {MOST_AT_ONCE} messages can be resent at once. Nothing was resent."


def _queued(queued: Sequence[Message]) -> str:
    text = "The message was enqueued again." if len(queued) == 1 else f"{len(queued)} messages were enqueued again."
    slowed = sum(message.slowed_until is not None for message in queued)
    return f"{text} {slowed} of them wait for the bounce brake." if slowed else text


def _reasons(refusals: Sequence[tuple[Message, str]]) -> list[str]:
    # One by one if they are few, else a count for each reason.
    if len(refusals) <= MOST_TOLD:
        return [f"{message}: {reason}" for message, reason in refusals]
    counts = Counter(reason for _, reason in refusals)
    return [f"{count:,} not sent: {reason}" for reason, count in counts.most_common()]
