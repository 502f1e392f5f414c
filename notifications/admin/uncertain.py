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
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format

from notifications.admin import chosen as page
from notifications.admin.large_lists import DayFilter, ValuesFilter
from notifications.admin.recipient import recipient
from notifications.admin.waiting import WaitingAdmin
from notifications.delivery import forecast
from notifications.models import DeliveryAttempt, Message, UncertainMessage
from notifications.outbox import settle
from notifications.outbox.recover import may_resend

HOLDS = "held"
HOLDS_ANONYMIZED = "held, and anonymized: it cannot be sent again"
DROPS_ANONYMIZED = "dropped: it was anonymized"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One way to settle a message: the action, its names before and after, its meaning."""

    act: Callable[[Message, str], bool]
    button: str
    done: str
    meaning: str


CHOICES = {
    "sent": Choice(
        act=settle.mark_sent,
        button="Mark as sent",
        done="marked as sent",
        meaning="The provider's log shows that it accepted the email.",
    ),
    "again": Choice(
        act=settle.send_again,
        button="Send again",
        done="queued to be sent again",
        meaning="It may arrive twice: if the provider accepted the first one, the recipient gets two.",
    ),
    "drop": Choice(
        act=settle.drop,
        button="Drop",
        done="dropped",
        meaning="It may never arrive: if the provider did not accept it, the recipient gets none.",
    ),
}


@admin.register(UncertainMessage)
class UncertainMessageAdmin(WaitingAdmin):
    act = "settle"
    list_display = [recipient, "kind", "since", "by_itself", "provider", "attempts"]
    list_filter = [("kind", ValuesFilter), ("provider", ValuesFilter), DayFilter]
    newest_by = "created_at"
    actions = ["mark_sent_selected", "send_again_selected", "drop_selected"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any, Any]:
        # Written at the very moment at which a message becomes uncertain.
        last = DeliveryAttempt.objects.filter(message=OuterRef("pk")).order_by("-number").values("recorded_at")[:1]
        annotated: QuerySet[Any, Any] = super().get_queryset(request).annotate(last_attempt_at=Subquery(last))
        return annotated

    @admin.display(description="since", ordering="last_attempt_at")
    def since(self, message: Any) -> datetime | None:
        at: datetime | None = message.last_attempt_at
        return at

    @admin.display(description="next step", ordering="settle_at")
    def by_itself(self, message: Message) -> str:
        return by_itself(message)

    @admin.action(description="Mark selected as sent …", permissions=["resend"])
    def mark_sent_selected(self, request: HttpRequest, queryset: QuerySet[Message, Message]) -> HttpResponse | None:
        return self._ask(request, self.chosen(request, queryset), ["sent"])

    @admin.action(description="Send selected again …", permissions=["resend"])
    def send_again_selected(self, request: HttpRequest, queryset: QuerySet[Message, Message]) -> HttpResponse | None:
        return self._ask(request, self.chosen(request, queryset), ["again"])

    @admin.action(description="Drop selected …", permissions=["resend"])
    def drop_selected(self, request: HttpRequest, queryset: QuerySet[Message, Message]) -> HttpResponse | None:
        return self._ask(request, self.chosen(request, queryset), ["drop"])

    def act_view(self, request: HttpRequest, chosen: page.Chosen) -> HttpResponse:
        # GET asks; POST settles what is still uncertain, as the pressed button says.
        ids = list(chosen)
        choice = next((choice for name, choice in CHOICES.items() if name in request.POST), None)
        if choice is None:
            return self._ask(request, ids, list(CHOICES)) or self.back(ids)
        uncertain = [message for message in UncertainMessage.objects.filter(id__in=ids) if _seen(message, chosen)]
        kept = _unsendable(uncertain) if choice is CHOICES["again"] else {}
        settled = [
            message for message in uncertain if message.id not in kept and self._settle(request, message, choice)
        ]
        text = f"{len(settled):,} of {len(ids):,} {choice.done}."
        text += "".join(f" {count:,} not sent again: {reason}." for reason, count in Counter(kept.values()).items())
        if moved := len(ids) - len(settled) - len(kept):
            text += f" {moved:,} had already changed status."
        self.message_user(request, text, messages.SUCCESS if settled else messages.WARNING)
        return self.back(ids)

    def _settle(self, request: HttpRequest, message: Message, choice: Choice) -> bool:
        with transaction.atomic():
            won = choice.act(message, request.user.get_username())
            if won:
                self.log(request, [message], f"Settled by hand: {choice.done}.")
        return won

    def _ask(self, request: HttpRequest, ids: Sequence[UUID], names: Sequence[str]) -> TemplateResponse | None:
        if not ids:
            return None
        waiting = list(UncertainMessage.objects.filter(id__in=ids))
        kept = _unsendable(waiting)
        context = {
            **self.admin_site.each_context(request),
            "title": "Settle uncertain messages" if len(ids) != 1 else "Settle this message",
            "opts": self.opts,
            "lines": [(message, by_itself(message), kept.get(message.id, "")) for message in waiting],
            "choices": [(name, CHOICES[name]) for name in names],
            "ids": " ".join(page.written(message.id, message.attempts) for message in waiting),
        }
        return TemplateResponse(request, "admin/notifications/uncertainmessage/settle.html", context)


def _seen(message: Message, chosen: page.Chosen) -> bool:
    # False if the message had another attempt since the page was shown.
    return chosen[message.id] in {None, message.attempts}


def _unsendable(messages: Sequence[Message]) -> dict[UUID, str]:
    # Why messages would not go out if they were sent again, by id.
    loaded = list(Message.objects.filter(id__in=[message.id for message in messages]).select_related("user"))
    return {message.id: skip.reason for message, skip in forecast.replay_skips(loaded) if skip}


def by_itself(message: Message) -> str:
    # What happens without a report and without an operator.
    if message.anonymized_at:
        return DROPS_ANONYMIZED if message.settle_at else HOLDS_ANONYMIZED
    if message.settle_at and may_resend(message):
        return f"sent again at {date_format(timezone.localtime(message.settle_at), 'j M Y H:i')}"
    return HOLDS
