"""What Anymail's backends over `requests` have in common: no redirects, and what a failing connection means."""

from abc import abstractmethod
from typing import Any

import requests
from anymail.backends.base_requests import AnymailRequestsBackend
from django.conf import settings
from urllib3.exceptions import MaxRetryError, NewConnectionError

from notifications.providers.base import Provider, unknown
from notifications.providers.mail import ErrorClass, ProviderError


def timeouts() -> tuple[float, float]:
    """Return seconds for connecting and between two reads, as `requests` takes them."""
    return settings.PROVIDER_CONNECT_TIMEOUT_S, settings.PROVIDER_READ_TIMEOUT_S


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Follow nothing: a redirect answered with 200 by some other page would count as an accepted mail."""


class WithoutRedirects(AnymailRequestsBackend):  # type: ignore[misc]
    """To be mixed in before Anymail's own backend."""

    def create_session(self) -> requests.Session:
        made = super().create_session()
        session = _Session()
        session.headers.update(made.headers)
        return session


class HttpProvider(Provider):
    """A provider whose refusals are answers of a `requests` session."""

    @abstractmethod
    def refused(self, response: requests.Response) -> ProviderError:
        """Return what an answer other than an acceptance or a redirect means."""

    def translate(self, error: Exception) -> ProviderError:
        response = getattr(error, "response", None)
        # `if response` would be wrong: requests calls every answer from 400 on false.
        if not isinstance(response, requests.Response):
            return from_transport(error)
        if response.is_redirect:
            text = "the API address answers with a redirect"
            return ProviderError(ErrorClass.MISCONFIGURED, f"http-{response.status_code}", text)
        return self.refused(response)


def retry_after_s(header: Any) -> float | None:
    """Return the seconds a provider asks for, between 1 and 900, or None where it gave no number."""
    try:
        return min(max(float(header), 1.0), 900.0)
    except (TypeError, ValueError):
        return None


def from_transport(error: Exception) -> ProviderError:
    """Return what an error of the connection means: it matters whether the request can have left this machine."""
    # Anymail's exceptions have that of `requests` as their cause; where no library stands between, it comes by itself.
    origin = error.__cause__ or error
    code = type(origin).__name__
    if isinstance(error, requests.exceptions.SSLError):
        if "CERTIFICATE_VERIFY_FAILED" in str(origin):
            return ProviderError(ErrorClass.MISCONFIGURED, "certificate", "the provider's certificate is not trusted")
        return ProviderError(ErrorClass.AMBIGUOUS, code, "the TLS connection broke")
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError) or never_connected(error):
        return ProviderError(ErrorClass.TRANSIENT, code, "no connection to the provider")
    if isinstance(error, requests.exceptions.InvalidHeader | requests.exceptions.InvalidURL):
        return ProviderError(ErrorClass.MISCONFIGURED, code, "the API key or address cannot be used")
    return unknown(origin)


def never_connected(error: Exception) -> bool:
    """True if the connection was refused or the name not found (urllib3 wraps both alike)."""
    origin = error.__cause__ or error
    inner = origin.args[0] if origin.args else None
    return isinstance(inner, MaxRetryError) and isinstance(inner.reason, NewConnectionError)
