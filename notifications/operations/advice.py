"""What an operator does when a provider accepts no email, by its last error."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from notifications.rules.retry import ErrorClass


class ProviderCode(StrEnum):
    """Why a provider accepts no email."""

    REFUSES_US = "provider-refuses-us"
    DOWN = "provider-down"
    NO_ANSWER = "provider-no-answer"
    # Its circuit is open, and Redis has lost the cause.
    SHUT = "provider-shut"


@dataclass(frozen=True, kw_only=True)
class Advice:
    """`state` names the provider and the error, `step` is the operator's next step."""

    code: ProviderCode
    state: Promise
    step: Promise


ADVICE: dict[str, Advice] = {
    ErrorClass.MISCONFIGURED: Advice(
        code=ProviderCode.REFUSES_US,
        state=_("%(provider)s refuses this account (%(error)s)."),
        step=_(
            "Check its key, sender address and account status (manage.py provider_check), then restart the workers."
            " Retrying does not help."
        ),
    ),
    ErrorClass.TRANSIENT: Advice(
        code=ProviderCode.DOWN,
        state=_("%(provider)s is down (%(error)s)."),
        step=_("Mailroom retries until it is back. See the provider's status page."),
    ),
    ErrorClass.AMBIGUOUS: Advice(
        code=ProviderCode.NO_ANSWER,
        state=_("%(provider)s does not answer (%(error)s)."),
        step=_(
            "Mailroom retries until it does. Check the network and the provider's status page. Messages whose answer"
            " was lost are uncertain."
        ),
    ),
}
UNKNOWN = Advice(
    code=ProviderCode.SHUT,
    state=_("%(provider)s is not accepting email (%(error)s)."),
    step=_("Mailroom retries it. See the workers' log."),
)


def about(error_class: str) -> Advice:
    return ADVICE.get(error_class, UNKNOWN)
