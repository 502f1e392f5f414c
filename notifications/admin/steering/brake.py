"""Release or drop the messages that the bounce brake holds back."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.admin.steering.act import Act, Done, Question
from notifications.operations.wording import grouped
from notifications.outbox import brake_queue

QUEUE = gettext_lazy("the bounce brake's queue")


class BrakeAct(Act):
    # Empty for all.
    domain = forms.CharField(max_length=255, required=False)

    @property
    def count(self) -> dict[str, str]:
        return {"count": grouped(brake_queue.waiting_count(self.cleaned_data["domain"]))}

    @property
    def target(self) -> str:
        return self.cleaned_data["domain"] or str(QUEUE)


class ReleaseAct(BrakeAct):
    name = "release"

    def ask(self) -> Question:
        return Question(
            title=_("Release: %(target)s") % {"target": self.target},
            sentences=[
                _("Messages that the bounce brake holds back here: %(count)s.") % self.count,
                _("All of them are sent now, at the usual rate. If many bounce, the provider may suspend the account."),
            ],
            button=_("Release"),
        )

    def do(self, by: str) -> Done:
        gone = brake_queue.release(self.cleaned_data["domain"])
        text = _("Released from the bounce brake (%(target)s): %(count)s messages.")
        return Done(text=text % {"target": self.target, "count": grouped(gone)}, target=self.target)


class DropAct(BrakeAct):
    name = "drop"

    def ask(self) -> Question:
        return Question(
            title=_("Drop: %(target)s") % {"target": self.target},
            sentences=[
                _("Messages that the bounce brake holds back here: %(count)s.") % self.count,
                _("They are cancelled and never sent. Users who wait for them must ask again."),
            ],
            button=_("Drop"),
        )

    def do(self, by: str) -> Done:
        gone = brake_queue.drop(self.cleaned_data["domain"])
        text = _("Dropped from the bounce brake (%(target)s): %(count)s messages.")
        return Done(text=text % {"target": self.target, "count": grouped(gone)}, target=self.target)
