"""Resending in the admin: preview the result for each message, then do exactly that, once."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from notifications.admin.chosen import Chosen, form_value
from notifications.admin.confirmed import ConfirmedAction, changed_meanwhile
from notifications.admin.large_lists import FORM_EXPIRED
from notifications.admin.reasons import OBSTACLES, in_words
from notifications.delivery import forecast
from notifications.kinds import UnknownKindError
from notifications.models import Message
from notifications.operations.wording import grouped
from notifications.outbox import NotResentError, resend
from notifications.outbox.resend import Obstacle, ResendState, require_resendable, resend_states
from notifications.outbox.retry_now import retry_now, waiting
from notifications.rules.addresses import BadAddressError
from notifications.rules.states import Status

# The page names this many reasons one by one; more are counted.
MOST_NAMED = 5

Refusals = Sequence[tuple[Message, str]]


@dataclass(frozen=True, kw_only=True)
class ResendPreview:
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
        return form_value([(self.message.id, self.state.copies)])


def previews(ids: Iterable[UUID]) -> list[ResendPreview]:
    found = list(Message.objects.filter(id__in=list(ids)).select_related("user"))
    state_of, retried = resend_states(found), waiting(message.id for message in found)
    skips = {message.id: skip for message, skip in forecast.resend_skips(found)}
    made = []
    for message in found:
        skip, state = skips.get(message.id), state_of[message.id]
        reason = str(OBSTACLES[state.obstacle]) if state.obstacle else ""
        if skip and not reason:
            reason = _("Would not be sent. %(reason)s.") % {"reason": in_words(skip.reason, message.kind)}
        made.append(ResendPreview(message=message, state=state, reason=reason, retries=message.id in retried))
    return made


class ResendAdmin(ConfirmedAction):
    """The action and the pages of a resend, for MessageAdmin."""

    act = "resend"
    template = "admin/notifications/message/resend.html"

    @admin.action(description=gettext_lazy("Resend selected messages …"), permissions=["resend"])
    def resend_selected(self, request: HttpRequest, queryset: QuerySet[Message]) -> HttpResponseBase | None:
        ids = self.chosen_ids(request, queryset)
        return self._ask(request, ids) if ids else None

    def act_view(self, request: HttpRequest, chosen: Chosen) -> HttpResponseBase:
        # POST resends or retries those of the confirmation page.
        if request.method != "POST":
            return self._ask(request, list(chosen))
        try:
            request_id = UUID(request.POST.get("request_id", ""))
        except ValueError:
            return self.refused(request, str(FORM_EXPIRED))
        return self._retried(request, chosen) if "retry" in request.POST else self._resent(request, chosen, request_id)

    def _resent(self, request: HttpRequest, chosen: Chosen, request_id: UUID) -> HttpResponseRedirect:
        made, refusals = [], []
        for preview in previews(chosen):
            try:
                made.append(self._resend(request, preview, request_id, copies=chosen[preview.message.id] or 1))
            except (NotResentError, UnknownKindError, BadAddressError) as error:
                refusals.append((preview.message, _refusal(preview, error)))
        self._report(request, made, refusals)
        return self.back([message.id for message in made])

    def _resend(self, request: HttpRequest, preview: ResendPreview, request_id: UUID, *, copies: int) -> Message:
        require_resendable(preview.state, copies)
        if preview.reason:
            raise NotResentError(Obstacle.WOULD_BE_SKIPPED, reason=preview.reason)
        with transaction.atomic():
            new = resend(preview.message, request_id, copies=copies)
            self.log(request, [preview.message], _("Resent as %(id)s.") % {"id": new.id})
        return new

    def _retried(self, request: HttpRequest, chosen: Chosen) -> HttpResponseRedirect:
        count = 0
        for message in Message.objects.filter(id__in=list(chosen)):
            with transaction.atomic():
                if retry_now(message):
                    self.log(request, [message], _("Retried now."))
                    count += 1
        text = _("Being retried now: %(done)s of %(asked)s.")
        parts = [text % {"done": grouped(count), "asked": grouped(len(chosen))}]
        if moved := len(chosen) - count:
            parts.append(changed_meanwhile(moved))
        self.message_user(request, " ".join(parts), messages.SUCCESS if count else messages.WARNING)
        return self.back(list(chosen))

    def _report(self, request: HttpRequest, made: Sequence[Message], refusals: Refusals) -> None:
        queued = [message for message in made if message.status == Status.QUEUED]
        if queued:
            self.message_user(request, _queued(queued), messages.SUCCESS)
        # The address was suppressed between the forecast and the resend.
        not_sent = [
            (message, in_words(message.status_reason, message.kind)) for message in made if message not in queued
        ]
        if not made:
            self.message_user(request, _("Nothing was resent."), messages.WARNING)
        for text in _reasons([*not_sent, *refusals]):
            self.message_user(request, text, messages.WARNING)

    def _ask(self, request: HttpRequest, ids: Sequence[UUID]) -> TemplateResponse:
        found = previews(ids)
        context = {
            "found": found,
            "previews": found,
            "ids": " ".join(preview.field for preview in found),
            "going": [preview for preview in found if preview.goes],
            "retrying": [preview for preview in found if preview.retries],
            "uncertain": [preview for preview in found if preview.message.status == Status.UNCERTAIN],
            "dead": [preview for preview in found if preview.message.status == Status.DEAD],
            "request_id": uuid4(),
        }
        return self.confirmation(request, ngettext("Resend this message", "Resend messages", len(found)), context)


def _refusal(preview: ResendPreview, error: Exception) -> str:
    if isinstance(error, UnknownKindError):
        return _("No app declares the kind “%(kind)s” any more.") % {"kind": preview.message.kind}
    if isinstance(error, BadAddressError):
        return _("Its address is not valid.")
    if isinstance(error, NotResentError) and error.obstacle in OBSTACLES:
        return str(OBSTACLES[error.obstacle])
    return str(error)


def _queued(queued: Sequence[Message]) -> str:
    count = len(queued)
    text = ngettext("%(count)s message was queued again.", "%(count)s messages were queued again.", count)
    parts = [text % {"count": grouped(count)}]
    if slowed := sum(message.slowed_until is not None for message in queued):
        parts.append(_("Held by the bounce brake: %(count)s.") % {"count": grouped(slowed)})
    return " ".join(parts)


def _reasons(refusals: Refusals) -> list[str]:
    # One by one if they are few, else a count for each reason.
    if len(refusals) <= MOST_NAMED:
        return [f"{message}: {reason}" for message, reason in refusals]
    counts = Counter(reason for _message, reason in refusals)
    text = _("Not sent (%(count)s): %(reason)s")
    return [text % {"count": grouped(count), "reason": reason} for reason, count in counts.most_common()]
