"""Pause and resume a stream, a kind or a provider."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextInputWidget
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import kinds, pauses
from notifications.admin.steering.act import Act, Done, NotDoneError, Question, counted
from notifications.breaker import permits
from notifications.conf import settings
from notifications.models import Pause
from notifications.operations.pausing import is_critical
from notifications.outbox import pausing
from notifications.outbox.cancelling import QueuedFilter, count
from notifications.rules.states import Stream

LASTS: list[tuple[str, Promise]] = [
    ("", gettext_lazy("Until an operator resumes it")),
    ("1", gettext_lazy("1 hour")),
    ("4", gettext_lazy("4 hours")),
    ("24", gettext_lazy("24 hours")),
]


def label(what: str, name: str) -> str:
    return f"{Pause.What(what).label} {_shown(what, name)}"


def _shown(what: str, name: str) -> str:
    # Streams have names in the operator's language.
    return str(Stream(name).label) if what == Pause.What.STREAM and name in Stream.values else name


def targets() -> list[Any]:
    # What can be paused, in the groups of a select. The operator must choose.
    names = {
        Pause.What.STREAM: Stream.values,
        Pause.What.KIND: sorted(kinds.KINDS),
        Pause.What.PROVIDER: settings.EMAIL_PROVIDERS,
    }
    groups = [
        (str(what.label), [(f"{what.value}:{name}", _shown(what, name)) for name in found])
        for what, found in names.items()
    ]
    return [("", gettext_lazy("Choose …")), *groups]


class PauseAct(Act):
    name = "pause"
    target = forms.ChoiceField(label=gettext_lazy("What"), choices=targets)
    lasts = forms.ChoiceField(label=gettext_lazy("How long"), choices=LASTS, required=False)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        help_text=gettext_lazy("Shown on every page of the admin while the pause is on."),
        widget=AdminTextInputWidget,
    )

    @property
    def what_and_name(self) -> tuple[str, str]:
        what, _colon, name = self.cleaned_data["target"].partition(":")
        return what, name

    def ask(self) -> Question:
        what, name = self.what_and_name
        users_wait = _("Users then get no password resets, confirmations and security notices.")
        return Question(
            title=_("Pause: %(target)s") % {"target": label(what, name)},
            sentences=[
                *(_provider_effects(name) if what == Pause.What.PROVIDER else _queue_effects(what, name)),
                _("The pause takes effect within 2 seconds. Calls to a provider that have begun end normally."),
            ],
            button=_("Pause"),
            warning=users_wait if is_critical(what, name) else "",
        )

    def do(self, by: str) -> Done:
        what, name = self.what_and_name
        hours = self.cleaned_data["lasts"]
        lasts = timedelta(hours=int(hours)) if hours else None
        values: dict[str, Any] = {"target": label(what, name)}
        try:
            made = pausing.start_pause(what, name, by=by, reason=self.cleaned_data["reason"], lasts=lasts)
        except pausing.AlreadyPausedError:
            raise NotDoneError(_("Already paused: %(target)s.") % values) from None
        text = _("Paused: %(target)s. Reason: %(reason)s")
        return Done(text=text % (values | {"reason": made.reason}), target=name)


class ResumeAct(Act):
    name = "resume"
    pause = forms.IntegerField()

    @property
    def paused(self) -> Pause:
        found = Pause.objects.in_force().filter(id=self.cleaned_data["pause"]).first()
        if found is None:
            raise NotDoneError(_("This pause has ended already."))
        return found

    def ask(self) -> Question:
        paused = self.paused
        sentences = [_("Email goes to this provider again, as the order of EMAIL_PROVIDERS says.")]
        if paused.what != Pause.What.PROVIDER:
            waiting = count(_filter(paused.what, paused.name))
            sentences = [
                _("Waiting messages: %(count)s. They are sent in their old order, at the usual rate.")
                % {"count": counted(waiting.found, is_more=waiting.is_more)},
                _("Messages that have expired meanwhile are not sent."),
            ]
        return Question(
            title=_("Resume: %(target)s") % {"target": label(paused.what, paused.name)},
            sentences=sentences,
            button=_("Resume"),
        )

    def do(self, by: str) -> Done:
        paused = self.paused
        if not pausing.end_pause(paused.what, paused.name, by=by):
            raise NotDoneError(_("This pause has ended already."))
        return Done(text=_("Resumed: %(target)s.") % {"target": label(paused.what, paused.name)}, target=paused.name)


def _queue_effects(what: str, name: str) -> list[str]:
    waiting = count(_filter(what, name))
    return [
        _("Queued messages that will wait: %(count)s. New messages wait too.")
        % {"count": counted(waiting.found, is_more=waiting.is_more)},
        _("They stay queued, and no attempt is counted. Those that expire meanwhile are not sent."),
    ]


def _provider_effects(name: str) -> Iterator[str]:
    others = [other for other in settings.EMAIL_PROVIDERS if other not in {name, *pauses.paused_providers()}]
    accepting = next((other for other in others if permits.is_closed(other)), None)
    if accepting:
        yield _("Email goes to %(provider)s instead.") % {"provider": accepting}
    else:
        yield _("No other provider accepts email now, so all messages wait until this one is resumed.")


def _filter(what: str, name: str) -> QueuedFilter:
    return QueuedFilter(stream=name) if what == Pause.What.STREAM else QueuedFilter(kind=name)
