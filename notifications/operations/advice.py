"""What an operator does when a provider accepts no email, by its last error. Pure data."""

from dataclasses import dataclass
from enum import StrEnum

from notifications.rules.retry import ErrorClass


class ProviderCode(StrEnum):
    """Why a provider accepts no email."""

    REFUSES_US = "provider-refuses-us"
    DOWN = "provider-down"
    NO_ANSWER = "provider-no-answer"
    # Its circuit is open and nothing is known of the cause: Redis has lost it.
    SHUT = "provider-shut"


@dataclass(frozen=True, kw_only=True)
class Advice:
    """`state` follows the provider's name, `step` is the operator's next step."""

    code: ProviderCode
    state: str
    step: str


ADVICE: dict[str, Advice] = {
    ErrorClass.MISCONFIGURED: Advice(
        code=ProviderCode.REFUSES_US,
        state="refuses this account",
        step="Retrying does not help: check its key, sender address and account status (manage.py provider_check),"
        " then restart the workers.",
    ),
    ErrorClass.TRANSIENT: Advice(
        code=ProviderCode.DOWN,
        state="is down",
        step="Nothing to do: Mailroom retries until it is back. See the provider's status page.",
    ),
    ErrorClass.AMBIGUOUS: Advice(
        code=ProviderCode.NO_ANSWER,
        state="does not answer",
        step="Mailroom retries until it does. Check the network and the provider's status page; messages whose answer"
        " was lost are uncertain.",
    ),
}
UNKNOWN = Advice(code=ProviderCode.SHUT, state="takes no email", step="Mailroom retries it. See the workers' log.")


def about(error_class: str) -> Advice:
    return ADVICE.get(error_class, UNKNOWN)
