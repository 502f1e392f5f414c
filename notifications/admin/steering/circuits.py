"""Open or close a provider's circuit."""

from typing import NoReturn

import redis
from django import forms
from django.utils.translation import gettext as _

from notifications.admin.steering.act import Act, Done, NotDoneError, Question
from notifications.breaker import permits
from notifications.breaker.circuit import OPENED_BY_OPERATOR_S
from notifications.conf import settings


def provider_choices() -> list[tuple[str, str]]:
    return [(name, name) for name in settings.EMAIL_PROVIDERS]


class CircuitAct(Act):
    provider = forms.ChoiceField(choices=provider_choices)

    @property
    def values(self) -> dict[str, str]:
        return {"provider": self.cleaned_data["provider"], "seconds": f"{OPENED_BY_OPERATOR_S:.0f}"}


class CloseCircuit(CircuitAct):
    name = "close"

    def ask(self) -> Question:
        return Question(
            title=_("Close the circuit of %(provider)s") % self.values,
            sentences=[
                _("Workers call %(provider)s again immediately, without a probe.") % self.values,
                _("If it still fails, the circuit opens again after a few messages, which are retried."),
            ],
            button=_("Close the circuit"),
        )

    def do(self, by: str) -> Done:
        try:
            permits.close_by_operator(self.cleaned_data["provider"])
        except redis.RedisError:
            _refuse()
        text = _("Closed the circuit of %(provider)s.") % self.values
        return Done(text=text, target=self.cleaned_data["provider"])


class OpenCircuit(CircuitAct):
    name = "open"

    def ask(self) -> Question:
        return Question(
            title=_("Open the circuit of %(provider)s") % self.values,
            sentences=[
                _("Email goes to the next provider that accepts it, or waits.") % self.values,
                _(
                    "After %(seconds)s seconds, one message is the probe. If %(provider)s accepts it, the circuit"
                    " closes. To stop a provider for longer, pause it."
                )
                % self.values,
            ],
            button=_("Open the circuit"),
        )

    def do(self, by: str) -> Done:
        try:
            permits.open_by_operator(self.cleaned_data["provider"])
        except redis.RedisError:
            _refuse()
        text = _("Opened the circuit of %(provider)s.") % self.values
        return Done(text=text, target=self.cleaned_data["provider"])


def _refuse() -> NoReturn:
    raise NotDoneError(_("Redis is not answering, so nothing was changed. Try again.")) from None
