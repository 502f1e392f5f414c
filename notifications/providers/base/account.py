"""What a provider's account offers beside sending: its quota, suppression list and set-up."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from notifications.providers.base.sending import ProviderError
from notifications.rules.retry import ErrorClass
from notifications.rules.suppression import Reason


@dataclass(frozen=True, kw_only=True)
class Quota:
    """What the account may send, over all its applications. None: the provider sets no such limit."""

    per_second: float | None
    per_day: int | None
    sent_today: int


# The codes of findings that several providers share.
NO_PROBLEM = "no-problem"
MAY_NOT_LOOK = "may-not-look"
NO_API = "no-api"
NOT_PROVEN = "not-proven"


class Level(StrEnum):
    GOOD = "ok"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of `provider_check`: the subject, its state, and what to do about it."""

    subject: str
    level: Level
    # What was found, for programs; one of a few words for each subject.
    code: str
    text: str
    hint: str = ""


def good(subject: str, code: str, text: str) -> Finding:
    return Finding(subject=subject, level=Level.GOOD, code=code, text=text)


def note(subject: str, code: str, text: str, hint: str = "") -> Finding:
    # Not set up, or unknown; email goes out nevertheless.
    return Finding(subject=subject, level=Level.NOTE, code=code, text=text, hint=hint)


def bad(subject: str, code: str, text: str, hint: str) -> Finding:
    # Set up, and will not work.
    return Finding(subject=subject, level=Level.BAD, code=code, text=text, hint=hint)


def first_problem(subject: str, problems: Iterable[tuple[bool, str, str, str]], *, otherwise: str) -> Finding:
    """Return the first of `problems` that applies, or a good finding with `otherwise`.

    A problem is: whether it applies, its code, what is wrong, what to do.
    """
    for applies, code, text, hint in problems:
        if applies:
            return bad(subject, code, text, hint)
    return good(subject, NO_PROBLEM, otherwise)


_SAYS = {
    ErrorClass.TRANSIENT: "the provider cannot be reached now",
    ErrorClass.RATE_LIMITED: "the provider wants to be asked less often",
    ErrorClass.PERMANENT: "the provider refuses the question",
    ErrorClass.MISCONFIGURED: "the provider refuses us",
    ErrorClass.AMBIGUOUS: "no answer that can be read",
}
# Where the code says that it is not the credentials that are at fault, but the way to the provider.
_OF_THE_WAY = {
    "http-404": NO_API,
    "http-405": NO_API,
    "endpoint": NO_API,
    "InvalidSchema": NO_API,
    "InvalidURL": NO_API,
    "MissingSchema": NO_API,
    "certificate": NOT_PROVEN,
}
_SAYS_OF_THE_WAY = {
    NO_API: "there is no API at the address asked",
    NOT_PROVEN: "the server that answers is not proven to be the provider's",
}
_REDIRECT = "http-3"


def failure_text(error: ProviderError) -> str:
    # ProviderError's text is about emails; this is about a failed question.
    detail = "" if error.error_class is ErrorClass.AMBIGUOUS or not error.detail else f", {error.detail}"
    return f"{_SAYS_OF_THE_WAY.get(_of_the_way(error)) or _SAYS[error.error_class]} ({error.code}{detail})"


def failure_code(error: ProviderError) -> str:
    return _of_the_way(error) or error.error_class.value


def _of_the_way(error: ProviderError) -> str:
    # The code of what is wrong with the address that was called; "" if the error says nothing about it.
    return NO_API if error.code.startswith(_REDIRECT) else _OF_THE_WAY.get(error.code, "")


def unreadable() -> ProviderError:
    return ProviderError(ErrorClass.AMBIGUOUS, "answer", "it is not what the documentation promises")


def no_access(error: ProviderError, hint: str, *, address: str) -> Finding:
    # The first question failed already. `hint` says how to fix the credentials, if they are wrong; `address` is the
    # setting that names the server.
    if _of_the_way(error):
        hint = f"Look at {address}, and at proxies on the way."
    elif error.error_class is not ErrorClass.MISCONFIGURED:
        hint = "Ask again later; if it stays, look at the network from here and at the provider's status page."
    return bad("credentials", failure_code(error), failure_text(error), hint)


def inspect_part(subject: str, look: Callable[[], list[Finding]], *, not_allowed: Container[str] = ()) -> list[Finding]:
    """Return what `look` finds, or a note if the provider does not answer.

    `not_allowed` are the codes of errors with which good credentials are denied this question.
    """
    try:
        return look()
    except ProviderError as error:
        if error.code in not_allowed:
            return [
                note(
                    subject,
                    MAY_NOT_LOOK,
                    "the credentials may not look at this",
                    "Allow it, or look at the provider's pages.",
                )
            ]
        return [note(subject, failure_code(error), failure_text(error))]


class Account(ABC):
    """One provider's account. Every method calls the network and raises ProviderError."""

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
        """Return what the account may send, or None if the provider does not say."""

    @abstractmethod
    def unsuppress(self, address: str, reason: Reason | None = None) -> bool:
        """Remove an address from the provider's own suppression lists; False if it was on none.

        With a `reason`, only from the list for that reason: a person who complained stays on the list of complaints
        when a bounce is lifted.
        """

    @abstractmethod
    def inspect(self) -> list[Finding]:
        """Check credentials, sender identity, sandbox and webhook set-up, without sending."""

    def dkim_names(self) -> list[str]:
        """Return the DNS names of the DKIM keys; empty if the provider does not say."""
        return []
