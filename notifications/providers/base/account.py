"""The contract of a provider's account: its quota, suppression list and set-up."""

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
    """The limits of an account for all applications that use it. None: no such limit."""

    per_second: float | None
    per_day: int | None
    sent_today: int


# The codes of findings that several providers share.
NO_PROBLEM = "no-problem"
MAY_NOT_LOOK = "may-not-look"
NO_API = "no-api"
UNTRUSTED = "untrusted"


class Level(StrEnum):
    GOOD = "ok"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of `provider_check`: the subject, its state and a hint."""

    subject: str
    level: Level
    # For programs; each subject has a few codes.
    code: str
    text: str
    hint: str = ""


def good(subject: str, code: str, text: str) -> Finding:
    return Finding(subject=subject, level=Level.GOOD, code=code, text=text)


def note(subject: str, code: str, text: str, hint: str = "") -> Finding:
    # Not set up, or unknown; email can be sent.
    return Finding(subject=subject, level=Level.NOTE, code=code, text=text, hint=hint)


def bad(subject: str, code: str, text: str, hint: str) -> Finding:
    # Set up, but will not work.
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
    ErrorClass.RATE_LIMITED: "the provider limits the rate of requests",
    ErrorClass.PERMANENT: "the provider rejected the request",
    ErrorClass.MISCONFIGURED: "the provider denied access",
    ErrorClass.AMBIGUOUS: "the answer cannot be read",
}
# Codes of errors of the address or the network, not of the credentials.
_ENDPOINT_PROBLEMS = {
    "http-404": NO_API,
    "http-405": NO_API,
    "endpoint": NO_API,
    "InvalidSchema": NO_API,
    "InvalidURL": NO_API,
    "MissingSchema": NO_API,
    "certificate": UNTRUSTED,
}
_SAYS_OF_ENDPOINT = {
    NO_API: "there is no API at this address",
    UNTRUSTED: "the server's certificate is not trusted",
}
_REDIRECT = "http-3"


def failure_text(error: ProviderError) -> str:
    # ProviderError's text is about emails; this one is about a failed query.
    detail = "" if error.error_class is ErrorClass.AMBIGUOUS or not error.detail else f", {error.detail}"
    return f"{_SAYS_OF_ENDPOINT.get(_endpoint_problem(error)) or _SAYS[error.error_class]} ({error.code}{detail})"


def failure_code(error: ProviderError) -> str:
    return _endpoint_problem(error) or error.error_class.value


def _endpoint_problem(error: ProviderError) -> str:
    # What is wrong with the called address; "" if the error is about something else.
    return NO_API if error.code.startswith(_REDIRECT) else _ENDPOINT_PROBLEMS.get(error.code, "")


def unreadable() -> ProviderError:
    return ProviderError(ErrorClass.AMBIGUOUS, "answer", "it differs from the provider's documentation")


def no_access(error: ProviderError, hint: str, *, address: str) -> Finding:
    # The first query failed. `hint` explains how to fix wrong credentials; `address` is the setting that names the
    # server.
    if _endpoint_problem(error):
        hint = f"Check {address}, and proxies between here and the provider."
    elif error.error_class is not ErrorClass.MISCONFIGURED:
        hint = "Try again later. If it still fails, check the network and the provider's status page."
    return bad("credentials", failure_code(error), failure_text(error), hint)


def inspect_part(subject: str, look: Callable[[], list[Finding]], *, not_allowed: Container[str] = ()) -> list[Finding]:
    """Return what `look` finds, or a note if the provider does not answer.

    `not_allowed` are the codes of errors that deny this query to valid credentials.
    """
    try:
        return look()
    except ProviderError as error:
        if error.code in not_allowed:
            return [
                note(
                    subject,
                    MAY_NOT_LOOK,
                    "the credentials may not read this",
                    "Allow it, or check the provider's pages.",
                )
            ]
        return [note(subject, failure_code(error), failure_text(error))]


class Account(ABC):
    """A provider's account. Every method calls the network and raises ProviderError."""

    provider: ClassVar[str]
    # False if the provider has no quota, so that `provider_check` reports none as missing.
    names_quota: ClassVar[bool] = True
    # True if the provider keeps a suppression list.
    keeps_list: ClassVar[bool] = True
    # What an SPF record includes if our domain is the envelope's sender; "": nothing. By default the provider's domain,
    # or a subdomain for the provider, is the envelope's sender, and SPF passes without it.
    spf_include: ClassVar[str] = ""
    # The selectors under which the provider publishes its DKIM keys by default.
    usual_selectors: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def quota(self) -> Quota | None:
        """Return what the account may send, or None if the provider does not report it."""

    @abstractmethod
    def unsuppress(self, address: str, reason: Reason | None = None) -> bool:
        """Remove an address from the provider's suppression lists; return False if it was on none.

        With a `reason`, only from the list for that reason: lifting a bounce keeps a recipient who complained on the
        list of complaints.
        """

    @abstractmethod
    def inspect(self) -> list[Finding]:
        """Check credentials, sender identity, sandbox and webhooks, without sending."""

    def dkim_names(self) -> list[str]:
        """Return the DNS names of the DKIM keys, or nothing if they are unknown."""
        return []
