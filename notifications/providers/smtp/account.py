"""An SMTP server as an account: a log-in, without quota or suppression list."""

from collections.abc import Callable
from urllib.parse import urlsplit

from notifications.providers.base.account import Account, Finding, Quota, bad, failure_code, failure_text, good, note
from notifications.providers.base.failures import before_the_wire
from notifications.providers.base.sending import ProviderError
from notifications.providers.smtp.backend import Smtp
from notifications.providers.smtp.settings import settings
from notifications.rules.retry import ErrorClass
from notifications.rules.servers import BadUrlError
from notifications.rules.suppression import Reason


class SmtpAccount(Account):
    provider = "smtp"
    names_quota = False
    keeps_list = False

    def quota(self) -> Quota | None:
        return None

    def unsuppress(self, address: str, reason: Reason | None = None) -> bool:
        return False

    def inspect(self) -> list[Finding]:
        failure = _failure(_open_and_close)
        if failure is not None:
            hint = "Check SMTP_URL: scheme (smtp, smtp+tls or smtp+ssl), host, port, user and password."
            return [bad("connection", failure_code(failure), failure_text(failure), hint)]
        url = urlsplit(settings.SMTP_URL)
        found = [
            good("connection", "accepted", f"{url.hostname} accepts our {'log-in' if url.username else 'connection'}")
        ]
        if url.scheme == "smtp" and url.username:
            hint = "Use smtp+tls:// or smtp+ssl://."
            found.append(note("encryption", "none", "the password is sent without encryption", hint))
        return found


def _open_and_close() -> None:
    backend = Smtp().connect()
    try:
        backend.open()
    finally:
        # Django leaves the connection open when the log-in fails.
        backend.close()


def _failure(act: Callable[[], None]) -> ProviderError | None:
    try:
        act()
    except BadUrlError as error:
        return ProviderError(ErrorClass.MISCONFIGURED, "SMTP_URL", f"it {error}")
    except (OSError, ValueError) as error:
        return before_the_wire(error) or Smtp().translate(error)
    return None
