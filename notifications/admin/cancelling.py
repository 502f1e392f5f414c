"""Cancelling queued messages in the admin: counts for each verdict first, then one compare-and-set."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextInputWidget
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from notifications.admin.chosen import Chosen
from notifications.admin.confirmed import ConfirmedAction, acting_operator, changed_meanwhile
from notifications.models import Message
from notifications.operations.wording import grouped
from notifications.outbox.cancel import CANCELLED_BY, cancel_many
from notifications.rules import states
from notifications.rules.states import Event, Status

#: Their ids must fit into DATA_UPLOAD_MAX_MEMORY_SIZE.
MOST_CANCELLED = 5_000
#: Messages that one transaction cancels and logs.
BATCH = 500


class CancelVerdict(StrEnum):
    """What would happen to a message that is cancelled."""

    CANCELS = "cancels"
    STOPS_WORKER = "stops-worker"  # a worker holds it, and has not handed it over
    TOO_LATE = "too-late"  # a provider may have it
    ENDED = "ended"


CANCEL_VERDICTS: Mapping[CancelVerdict, str | Promise] = {
    CancelVerdict.CANCELS: gettext_lazy("Will be cancelled"),
    CancelVerdict.STOPS_WORKER: gettext_lazy("Will be cancelled unless its worker hands it over first"),
    CancelVerdict.TOO_LATE: gettext_lazy("Too late: the provider may have accepted it"),
    CancelVerdict.ENDED: gettext_lazy("Already ended"),
}
_CANCELLABLE = {CancelVerdict.CANCELS, CancelVerdict.STOPS_WORKER}


class CancelForm(forms.Form):
    why = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=150,
        help_text=gettext_lazy("Shown in the log, and on the page of each message."),
        widget=AdminTextInputWidget,
    )


class CancelPages(ConfirmedAction):
    """The action that cancels messages, and its page."""

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "cancel_message")

    def get_urls(self) -> list[URLPattern]:
        return [*self.act_urls("cancel", self.cancel_view, most=MOST_CANCELLED), *super().get_urls()]

    @admin.action(description=gettext_lazy("Cancel selected messages …"), permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Message]) -> HttpResponseBase | None:
        ids = self.chosen_ids(request, queryset, MOST_CANCELLED)
        return self._ask_why(request, ids, CancelForm()) if ids else None

    def cancel_view(self, request: HttpRequest, chosen: Chosen) -> HttpResponseBase:
        form = CancelForm(request.POST if request.method == "POST" else None)
        ids = list(chosen)
        if not form.is_valid():
            return self._ask_why(request, ids, form)
        batches = [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]
        done = sum(self._cancel(request, batch, form.cleaned_data["why"]) for batch in batches)
        parts = [_("Cancelled: %(done)s of %(asked)s.") % {"done": grouped(done), "asked": grouped(len(ids))}]
        if moved := len(ids) - done:
            parts.append(changed_meanwhile(moved))
        self.message_user(request, " ".join(parts), messages.SUCCESS if done else messages.WARNING)
        return self.back(request, ids)

    def _cancel(self, request: HttpRequest, ids: Sequence[UUID], why: str) -> int:
        who = acting_operator(request).get_username()
        with transaction.atomic():
            done = cancel_many(ids, CANCELLED_BY.format(who=who, why=why))
            self.log(request, list(Message.objects.filter(id__in=done)), _("Cancelled: %(why)s") % {"why": why})
        return len(done)

    def _ask_why(self, request: HttpRequest, ids: Sequence[UUID], form: CancelForm) -> TemplateResponse:
        verdicts = dict(_verdicts(ids))
        going = [message_id for message_id, verdict in verdicts.items() if verdict in _CANCELLABLE]
        counts = Counter(verdicts.values())
        context = {
            "found": verdicts,
            "counts": [(words, counts[verdict]) for verdict, words in CANCEL_VERDICTS.items() if counts[verdict]],
            "going": going,
            "message": Message.objects.filter(id__in=ids[:1]).first() if len(ids) == 1 else None,
            "form": form,
            "ids": " ".join(map(str, going)),
        }
        title = ngettext("Cancel this message", "Cancel messages", len(ids))
        return self.confirmation(request, "cancel", title, ids, context)


def cancel_verdict(status: Status, *, handed_over: bool) -> CancelVerdict:
    if status is Status.UNCERTAIN or handed_over:
        return CancelVerdict.TOO_LATE
    if status not in states.sources(Event.CANCELLED):
        return CancelVerdict.ENDED
    return CancelVerdict.STOPS_WORKER if status is Status.SENDING else CancelVerdict.CANCELS


def _verdicts(ids: Sequence[UUID]) -> Iterator[tuple[UUID, CancelVerdict]]:
    found = Message.objects.filter(id__in=ids).values_list("id", "status", "handed_over_at")
    for message_id, status, handed_over_at in found:
        yield message_id, cancel_verdict(Status(status), handed_over=handed_over_at is not None)
