"""Cancel the queued messages that match a filter."""

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import kinds
from notifications.admin.steering.act import Act, Done, NotDoneError, Question, counted
from notifications.operations.wording import grouped
from notifications.outbox.cancelling import QueuedFilter, cancel_matching, count
from notifications.rules.states import Stream

#: A request that cancels longer would be cut off. The operator goes on with the rest.
LONGEST_S = 5.0
ANY = ("", gettext_lazy("Any"))


def kind_choices() -> list[Any]:
    return [ANY, *((name, name) for name in sorted(kinds.KINDS))]


class Moment(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class CancelAct(Act):
    name = "cancel"
    stream = forms.ChoiceField(label=gettext_lazy("Stream"), choices=[ANY, *Stream.choices], required=False)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=kind_choices, required=False)
    domain = forms.CharField(
        label=gettext_lazy("Domain of the address"),
        max_length=255,
        required=False,
        widget=AdminTextInputWidget(attrs={"placeholder": "example.com"}),
    )
    since = forms.DateTimeField(label=gettext_lazy("Created since"), required=False, widget=Moment)
    until = forms.DateTimeField(label=gettext_lazy("Created before"), required=False, widget=Moment)
    is_scheduled = forms.BooleanField(
        label=gettext_lazy("Only scheduled messages"),
        required=False,
        help_text=gettext_lazy("Those that are due later and were not tried yet."),
    )
    why = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=100,
        help_text=gettext_lazy("Shown on the page of each message."),
        widget=AdminTextInputWidget,
    )

    def clean_domain(self) -> str:
        return str(self.cleaned_data["domain"]).strip().removeprefix("@").lower()

    def clean(self) -> None:
        if self.wanted.is_empty:
            raise ValidationError(_("Choose a stream, a kind, a domain or a time."))

    @property
    def wanted(self) -> QueuedFilter:
        fields = ("stream", "kind", "domain", "since", "until", "is_scheduled")
        return QueuedFilter(**{field: value for field in fields if (value := self.cleaned_data.get(field))})

    def ask(self) -> Question:
        found = count(self.wanted)
        return Question(
            title=_("Cancel queued messages"),
            sentences=[
                _("Matching messages that wait in the queue: %(count)s.")
                % {"count": counted(found.found, is_more=found.is_more)},
                _("Filter: %(filter)s.") % {"filter": self.in_words},
                _("They are never sent. Messages that a worker is sending now are not cancelled."),
                _("To keep new messages from leaving meanwhile, pause their kind or stream first."),
            ],
            button=_("Cancel these messages"),
        )

    def do(self, by: str) -> Done:
        done = cancel_matching(self.wanted, who=by, why=self.cleaned_data["why"], longest_s=LONGEST_S)
        if done.is_more and not done.found:
            # The next try would read the same messages again.
            raise NotDoneError(_("Too many other messages wait. Nothing was cancelled. Use manage.py cancel_messages."))
        text = _("Cancelled messages: %(count)s (%(filter)s). Reason: %(reason)s")
        values = {"count": grouped(done.found), "filter": self.in_words, "reason": self.cleaned_data["why"]}
        return Done(text=text % values, target=self.in_words, is_more=done.is_more)

    @property
    def in_words(self) -> str:
        shown = (field for field in self.visible_fields() if field.name != "why" and self.cleaned_data[field.name])
        return ", ".join(
            str(field.label) if field.name == "is_scheduled" else f"{field.label}: {field.value()}" for field in shown
        )
