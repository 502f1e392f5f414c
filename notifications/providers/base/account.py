"""What a provider's account tells and does beside sending: its quota, its own suppression list, its set-up."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from notifications.providers.base.mail import ProviderError
from notifications.rules.retry import ErrorClass
from notifications.rules.suppression import Reason


@dataclass(frozen=True, kw_only=True)
class Quota:
    """What the account may send, over all applications that use it. None: the provider sets no such limit."""

    per_second: float | None
    per_day: int | None
    sent_today: int


class Level(StrEnum):
    GOOD = "ok"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of `provider_check`: what was looked at, how it is, and what to do about it."""

    subject: str
    level: Level
    text: str
    hint: str = ""


def good(subject: str, text: str) -> Finding:
    return Finding(subject=subject, level=Level.GOOD, text=text)


def note(subject: str, text: str, hint: str = "") -> Finding:
    """Something is not set up, or cannot be known; mail goes out all the same."""
    return Finding(subject=subject, level=Level.NOTE, text=text, hint=hint)


def bad(subject: str, text: str, hint: str) -> Finding:
    """Something is set up and will not work."""
    return Finding(subject=subject, level=Level.BAD, text=text, hint=hint)


def judged(subject: str, problems: Iterable[tuple[bool, str, str]], *, otherwise: str) -> Finding:
    """Return the first of `problems` that applies as bad, or that it is good, as `otherwise` says.

    A problem is: does it apply, what is wrong, what to do.
    """
    for applies, text, hint in problems:
        if applies:
            return bad(subject, text, hint)
    return good(subject, otherwise)


_SAYS = {
    ErrorClass.TRANSIENT: "the provider cannot be reached now",
    ErrorClass.RATE_LIMITED: "the provider wants to be asked less often",
    ErrorClass.PERMANENT: "the provider refuses the question",
    ErrorClass.MISCONFIGURED: "the provider refuses us",
    ErrorClass.AMBIGUOUS: "no answer that can be read",
}
# Where the code says that it is not the credentials that are at fault, but the way to the provider.
_NO_API = "there is no API at the address asked"
_SAYS_OF_THE_WAY = {
    "http-404": _NO_API,
    "http-405": _NO_API,
    "endpoint": _NO_API,
    "InvalidSchema": _NO_API,
    "InvalidURL": _NO_API,
    "MissingSchema": _NO_API,
    "certificate": "whoever answers is not proven to be the provider",
}
_REDIRECT = "http-3"


def in_words(error: ProviderError) -> str:
    """Return what a failed question to a provider means; the words of ProviderError itself are about mails."""
    detail = "" if error.error_class is ErrorClass.AMBIGUOUS or not error.detail else f", {error.detail}"
    return f"{_of_the_way(error) or _SAYS[error.error_class]} ({error.code}{detail})"


def _of_the_way(error: ProviderError) -> str:
    """Return what is wrong with the address asked, "" if nothing is known of that."""
    return _NO_API if error.code.startswith(_REDIRECT) else _SAYS_OF_THE_WAY.get(error.code, "")


def unreadable() -> ProviderError:
    return ProviderError(ErrorClass.AMBIGUOUS, "answer", "it is not what the documentation promises")


def closed(error: ProviderError, hint: str, *, address: str) -> Finding:
    """The first question already failed.

    `hint` says how to mend the credentials, if they are what is wrong; `address` which setting says whom we ask.
    """
    if _of_the_way(error):
        hint = f"Look at {address}, and at proxies on the way."
    elif error.error_class is not ErrorClass.MISCONFIGURED:
        hint = "Ask again later; if it stays, look at the network from here and at the provider's status page."
    return bad("credentials", in_words(error), hint)


def looked(subject: str, look: Callable[[], list[Finding]], *, not_allowed: Container[str] = ()) -> list[Finding]:
    """Return what `look` finds, or a note where it is not answered: what is unknown is not bad.

    `not_allowed` are the codes of errors that mean that the credentials are good, but not for this question.
    """
    try:
        return look()
    except ProviderError as error:
        if error.code in not_allowed:
            return [note(subject, "the credentials may not look at this", "Allow it, or look at the provider's pages.")]
        return [note(subject, in_words(error))]


class Account(ABC):
    """One provider's account. Every method makes network calls of its own and raises ProviderError."""

    provider: ClassVar[str]
    # False where the provider knows no quota, so that none is missed.
    names_quota: ClassVar[bool] = True
    # True if the provider keeps a suppression list of its own.
    keeps_list: ClassVar[bool] = True
    # What an SPF record includes if the provider may send with our domain as the envelope's sender; "": nothing.
    # Providers use a domain of their own (or a subdomain made for them) there, unless told otherwise, and pass without.
    spf_include: ClassVar[str] = ""
    # Where the provider publishes its DKIM keys if it was not told otherwise.
    usual_selectors: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def quota(self) -> Quota | None:
        """Return what the account may send, or None where the provider does not say."""

    @abstractmethod
    def unsuppress(self, address: str, reason: Reason | None = None) -> bool:
        """Take an address off the provider's own suppression lists; False if it was on none.

        With a `reason`, off those only on which it is for that reason: who complained stays on the list of complaints
        when a bounce is lifted.
        """

    @abstractmethod
    def inspect(self) -> list[Finding]:
        """Look at credentials, sender identity, sandbox and webhook set-up, without sending anything."""

    def dkim_names(self) -> list[str]:
        """Return the DNS names at which the keys that sign our mail must be; empty where the provider does not say."""
        return []
