"""The possible meanings of a provider's answer, and their effects. Pure."""

from dataclasses import dataclass, field, replace

from notifications.providers.base.sending import About, ProviderError
from notifications.rules.outcomes import BounceKind
from notifications.rules.retry import COST_NO_ATTEMPT, ErrorClass

# A plan or a day's quota is used up: retrying sooner does not help.
QUOTA_PAUSE_S = 3600.0


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What an answer means.

    `bounce` applies if the message gets no other attempt. `may_be_of_some`: a provider that accepts email for others
    may reject some recipients with this text.
    """

    name: str
    about: About
    error_class: ErrorClass
    bounce: BounceKind | None = None
    pause_s: float | None = None
    may_be_of_some: bool = field(default=False, compare=False)

    def error(self, code: str, detail: str = "", *, retry_after_s: float | None = None) -> ProviderError:
        error = ProviderError(
            self.error_class,
            code,
            detail,
            retry_after_s=self.pause_s if retry_after_s is None else retry_after_s,
            about=self.about,
            bounce=self.bounce,
        )
        error.is_reply = True
        error.may_be_of_some = self.may_be_of_some
        return error

    def after(self, pause_s: float) -> "Meaning":
        return replace(self, pause_s=pause_s)

    @property
    def costs_an_attempt(self) -> bool:
        return self.error_class not in COST_NO_ATTEMPT

    @property
    def circuit(self) -> str:
        # Its effect on the provider's circuit, for documentation.
        if self.about is About.US:
            return "opens"
        counts = self.error_class in {ErrorClass.TRANSIENT, ErrorClass.AMBIGUOUS}
        return "counts" if counts and self.about in {About.MOMENT, About.UNKNOWN} else ""


NO_MAILBOX = Meaning(
    name="no such mailbox", about=About.RECIPIENT, error_class=ErrorClass.PERMANENT, bounce=BounceKind.HARD
)
INACTIVE = Meaning(
    name="on the provider's suppression list",
    about=About.RECIPIENT,
    error_class=ErrorClass.PERMANENT,
    bounce=BounceKind.HARD,
)
BAD_ADDRESS = Meaning(
    name="invalid address",
    about=About.RECIPIENT,
    error_class=ErrorClass.PERMANENT,
    bounce=BounceKind.HARD,
)
MAILBOX_FULL = Meaning(
    name="mailbox full", about=About.RECIPIENT, error_class=ErrorClass.PERMANENT, bounce=BounceKind.SOFT
)
RECIPIENT_LATER = Meaning(
    name="recipient unavailable", about=About.RECIPIENT, error_class=ErrorClass.TRANSIENT, bounce=BounceKind.SOFT
)
# The recipient's server defers the email; that does not concern the mailbox.
GREYLISTED = Meaning(name="greylisted", about=About.RECIPIENT, error_class=ErrorClass.TRANSIENT)
SERVER_LATER = Meaning(
    name="recipient's server unavailable",
    about=About.RECIPIENT,
    error_class=ErrorClass.TRANSIENT,
    bounce=BounceKind.BLOCKED,
)
# The recipient's server rejects the sender or this email; that does not concern the mailbox.
RECIPIENT_REFUSES = Meaning(
    name="rejected by the recipient's server",
    about=About.RECIPIENT,
    error_class=ErrorClass.PERMANENT,
    bounce=BounceKind.BLOCKED,
)
MESSAGE_REFUSED = Meaning(name="message rejected", about=About.MESSAGE, error_class=ErrorClass.PERMANENT)
MESSAGE_LATER = Meaning(name="message deferred", about=About.MESSAGE, error_class=ErrorClass.TRANSIENT)
REFUSES_US = Meaning(name="account or set-up rejected", about=About.US, error_class=ErrorClass.MISCONFIGURED)
# The server relays for some domains only, or a sandbox accepts verified recipients only.
REFUSES_SOME = replace(REFUSES_US, may_be_of_some=True)
THROTTLED = Meaning(name="rate exceeded", about=About.MOMENT, error_class=ErrorClass.RATE_LIMITED)
QUOTA_SPENT = Meaning(
    name="quota used up", about=About.MOMENT, error_class=ErrorClass.RATE_LIMITED, pause_s=QUOTA_PAUSE_S
)
OUTAGE = Meaning(name="provider down", about=About.MOMENT, error_class=ErrorClass.TRANSIENT)
UNKNOWN = Meaning(name="unknown", about=About.UNKNOWN, error_class=ErrorClass.AMBIGUOUS)

MEANINGS = (
    *(NO_MAILBOX, INACTIVE, BAD_ADDRESS, MAILBOX_FULL, RECIPIENT_LATER),
    *(GREYLISTED, SERVER_LATER, RECIPIENT_REFUSES),
    *(MESSAGE_REFUSED, MESSAGE_LATER, REFUSES_US, THROTTLED, QUOTA_SPENT, OUTAGE, UNKNOWN),
)
