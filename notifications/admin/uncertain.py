"""Uncertain messages: since when, what happens next, and an operator's decision."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from notifications.admin.chosen import Chosen, form_value, was_seen
from notifications.admin.confirmed import changed_meanwhile
from notifications.admin.large_lists import DayFilter, ValuesFilter
from notifications.admin.recipient import recipient
from notifications.admin.waiting import WaitingAdmin
from notifications.delivery import forecast
from notifications.models import DeliveryAttempt, Message, UncertainMessage
from notifications.operations.wording import grouped
from notifications.outbox import settle
from notifications.outbox.recover import may_resend
from notifications.rules.states import Status
from notifications.support.reasons import in_words

NEEDS_DECISION = gettext_lazy("Needs a decision")
NEEDS_DECISION_ANONYMIZED = gettext_lazy("Needs a decision; anonymized, so it can't be sent again")
DROPS_ANONYMIZED = gettext_lazy("Will be dropped: anonymized")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One way to settle a message. `done` has placeholders for two counts."""

    act: Callable[[Message, str], bool]
    button: str | Promise
    meaning: str | Promise
    done: str | Promise
    logged: str | Promise


CHOICES = {
    "sent": Choice(
        act=settle.mark_sent,
        button=gettext_lazy("Mark as sent"),
        meaning=gettext_lazy("The provider's log shows that it accepted the email."),
        done=gettext_lazy("Marked as sent: %(done)s of %(asked)s."),
        logged=gettext_lazy("Marked as sent."),
    ),
    "again": Choice(
        act=settle.send_again,
        button=gettext_lazy("Send again"),
        meaning=gettext_lazy("May arrive twice: if the provider accepted the first email, the recipient gets both."),
        done=gettext_lazy("Queued to be sent again: %(done)s of %(asked)s."),
        logged=gettext_lazy("Queued to be sent again."),
    ),
    "drop": Choice(
        act=settle.drop,
        button=gettext_lazy("Drop"),
        meaning=gettext_lazy("May never arrive: if the provider didn't accept the email, the recipient gets none."),
        done=gettext_lazy("Dropped: %(done)s of %(asked)s."),
        logged=gettext_lazy("Dropped."),
    ),
}


@admin.register(UncertainMessage)
class UncertainMessageAdmin(WaitingAdmin):
    list_display = [recipient, "kind", "since", "next_step", "provider", "attempts"]
    list_filter = [("kind", ValuesFilter), ("provider", ValuesFilter), DayFilter]
    newest_by = "created_at"
    searched_within = {"status": Status.UNCERTAIN}
    actions = ["mark_sent_selected", "send_again_selected", "drop_selected"]

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "settle_message")

    def get_urls(self) -> list[URLPattern]:
        return [*self.act_urls("settle", self.settle_view), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any, Any]:
        # The last attempt is recorded in the transaction that makes the message uncertain.
        last = DeliveryAttempt.objects.filter(message=OuterRef("pk")).order_by("-number").values("recorded_at")[:1]
        annotated: QuerySet[Any, Any] = super().get_queryset(request).annotate(last_attempt_at=Subquery(last))
        return annotated

    @admin.display(description=gettext_lazy("uncertain since"), ordering="last_attempt_at")
    def since(self, message: Any) -> datetime | None:
        at: datetime | None = message.last_attempt_at
        return at

    @admin.display(description=gettext_lazy("next step"), ordering="settle_at")
    def next_step(self, message: Message) -> str:
        return next_step(message)

    @admin.action(description=gettext_lazy("Mark selected as sent …"), permissions=["settle"])
    def mark_sent_selected(self, request: HttpRequest, queryset: QuerySet[Message]) -> HttpResponseBase | None:
        return self._ask(request, self.chosen_ids(request, queryset), ["sent"])

    @admin.action(description=gettext_lazy("Send selected again …"), permissions=["settle"])
    def send_again_selected(self, request: HttpRequest, queryset: QuerySet[Message]) -> HttpResponseBase | None:
        return self._ask(request, self.chosen_ids(request, queryset), ["again"])

    @admin.action(description=gettext_lazy("Drop selected …"), permissions=["settle"])
    def drop_selected(self, request: HttpRequest, queryset: QuerySet[Message]) -> HttpResponseBase | None:
        return self._ask(request, self.chosen_ids(request, queryset), ["drop"])

    def settle_view(self, request: HttpRequest, chosen: Chosen) -> HttpResponseBase:
        # GET asks; POST settles what is still uncertain, as the pressed button says.
        ids = list(chosen)
        choice = next((choice for name, choice in CHOICES.items() if name in request.POST), None)
        if choice is None:
            return self._ask(request, ids, list(CHOICES)) or self.back(request, ids)
        uncertain = [
            message
            for message in UncertainMessage.objects.filter(id__in=ids)
            if was_seen(chosen, message.id, message.attempts)
        ]
        kept = _unsendable(uncertain) if choice is CHOICES["again"] else {}
        settled = [
            message for message in uncertain if message.id not in kept and self._settle(request, message, choice)
        ]
        parts = [str(choice.done) % {"done": grouped(len(settled)), "asked": grouped(len(ids))}]
        for reason, count in Counter(kept.values()).items():
            parts.append(_("Not sent again (%(count)s): %(reason)s.") % {"count": grouped(count), "reason": reason})
        if moved := len(ids) - len(settled) - len(kept):
            parts.append(changed_meanwhile(moved))
        self.message_user(request, " ".join(parts), messages.SUCCESS if settled else messages.WARNING)
        return self.back(request, ids)

    def _settle(self, request: HttpRequest, message: Message, choice: Choice) -> bool:
        with transaction.atomic():
            won = choice.act(message, request.user.get_username())
            if won:
                self.log(request, [message], str(choice.logged))
        return won

    def _ask(self, request: HttpRequest, ids: Sequence[UUID], names: Sequence[str]) -> TemplateResponse | None:
        if not ids:
            return None
        waiting = list(UncertainMessage.objects.filter(id__in=ids))
        kept = _unsendable(waiting)
        context = {
            "found": waiting,
            "rows": [(message, next_step(message), kept.get(message.id, "")) for message in waiting],
            "choices": [(name, CHOICES[name]) for name in names],
            "ids": form_value((message.id, message.attempts) for message in waiting),
        }
        title = ngettext("Settle this message", "Settle uncertain messages", len(ids))
        return self.confirmation(request, "settle", title, ids, context)


def _unsendable(messages: Sequence[Message]) -> dict[UUID, str]:
    # Why messages would not go out if they were sent again, by id.
    loaded = list(Message.objects.filter(id__in=[message.id for message in messages]).select_related("user"))
    return {message.id: in_words(skip.reason, message.kind) for message, skip in forecast.replay_skips(loaded) if skip}


def next_step(message: Message) -> str:
    # What happens without a report and without an operator.
    if message.anonymized_at:
        return str(DROPS_ANONYMIZED if message.settle_at else NEEDS_DECISION_ANONYMIZED)
    if message.settle_at and may_resend(message):
        if message.settle_at <= timezone.now():
            return _("Is being sent again")
        time = date_format(timezone.localtime(message.settle_at), "DATETIME_FORMAT")
        return _("Will be sent again at %(time)s") % {"time": time}
    return str(NEEDS_DECISION)
