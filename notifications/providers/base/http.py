"""Shared by providers with an HTTP API: no redirects, a deadline, connection errors."""

import math
import time
from abc import abstractmethod
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from anymail.backends.base_requests import AnymailRequestsBackend
from django.core.mail import EmailMultiAlternatives
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import MaxRetryError, NewConnectionError

from notifications.conf import settings
from notifications.providers.base.answers import RawAnswer, read_answer, sentence
from notifications.providers.base.backend import Provider, RobustPostSend
from notifications.providers.base.deadline import WatchedConnection, begin_request
from notifications.providers.base.failures import unknown
from notifications.providers.base.own_mime import use_parts
from notifications.providers.base.sending import OutgoingEmail, ProviderError
from notifications.rules.retry import ErrorClass

# A wait outside of these comes from a wrong clock, the provider's or ours.
SHORTEST_WAIT_S = 1.0
LONGEST_WAIT_S = 900.0

BAD_SETUP = (
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
)


def timeouts() -> tuple[float, float]:
    """Return the seconds for connecting and between reads, as `requests` takes them."""
    return settings.PROVIDER_CONNECT_TIMEOUT_S, settings.PROVIDER_READ_TIMEOUT_S


class _WatchedHttps(WatchedConnection, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = WatchedConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHttps


_POOLS = {"http": _HttpPool, "https": _HttpsPool}


class _Adapter(HTTPAdapter):
    # The last pool, and what it was chosen for: an adapter closes its pools only when it has several.
    _last: tuple[Any, Any] = (None, None)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = _POOLS
        return manager

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        # Nearly all requests go to one address. requests chooses the pool again for each.
        wanted = (request.url, verify, cert, dict(proxies or {}))
        if self._last[0] != wanted:
            self._last = wanted, super().get_connection_with_tls_context(request, verify, proxies, cert)
        return self._last[1]

    def close(self) -> None:
        self._last = None, None
        # urllib3 leaves its connections to the garbage collector, which is late if an exception refers to them.
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in manager.pools.keys():  # noqa: SIM118 - urllib3's container refuses to be iterated
                manager.pools[key].close()
        super().close()


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


class _Session(requests.Session):
    def __init__(self) -> None:
        super().__init__()
        self._environments: dict[tuple[Any, ...], Any] = {}
        self._prepared: tuple[Any, requests.PreparedRequest] = (None, requests.PreparedRequest())
        # The credentials are in the headers. Without an `auth`, an entry of ~/.netrc would replace them.
        self.auth = _keep_headers

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        # All emails have the same address and headers, so only the body is prepared again.
        hooks, cookies = any(request.hooks.values()), request.cookies or len(self.cookies)
        others = (request.params, request.files, request.json, request.auth, hooks, cookies)
        if any(others) or not isinstance(request.data, str):
            return super().prepare_request(request)
        wanted = (request.method, request.url, [*request.headers.items()], [*self.headers.items()])
        if self._prepared[0] != wanted:
            empty = requests.Request(request.method, request.url, request.headers)
            self._prepared = wanted, super().prepare_request(empty)
        prepared = self._prepared[1].copy()
        prepared.prepare_body(request.data, None)
        return prepared

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        # requests reads the proxies of the environment again for each request, which costs as much as a small query.
        if proxies:
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        key = (*urlsplit(url)[:2], stream, verify, cert)
        if key not in self._environments:
            self._environments[key] = super().merge_environment_settings(url, proxies, stream, verify, cert)
        return {**self._environments[key]}

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        begin_request()
        return super().send(request, **kwargs)

    def get_redirect_target(self, resp: requests.Response) -> None:
        # The page that a redirect leads to could answer with 200, which would count as an acceptance.
        ...


def session() -> requests.Session:
    # It follows no redirects, and a deadline can shut its connections down.
    made = _Session()
    made.mount("https://", _Adapter())
    made.mount("http://", _Adapter())
    return made


class HttpBackend(RobustPostSend, AnymailRequestsBackend):  # type: ignore[misc]
    """Mix in before Anymail's own backend."""

    def create_session(self) -> requests.Session:
        made = session()
        made.headers.update(super().create_session().headers)
        return made


class HttpProvider(Provider):
    """A provider whose rejections are answers of a `requests` session."""

    marks_requests = True

    def prepare(self, message: EmailMultiAlternatives, mail: OutgoingEmail) -> None:
        # Its API takes no MIME message.
        use_parts(message)

    @abstractmethod
    def parse_answer(self, response: requests.Response) -> RawAnswer:
        """Return the parts of a rejection."""

    def code(self, answer: RawAnswer) -> str:
        """Return the error code of an attempt with this answer."""
        return f"http-{answer.status}"

    def requested_wait_s(self, response: requests.Response) -> float | None:
        """Return the seconds that the provider asks us to wait, or None."""
        return retry_after_s(response.headers.get("Retry-After"), response.headers.get("Date"))

    def refused(self, response: requests.Response) -> ProviderError:
        """Return the meaning of an answer that is not an acceptance."""
        return self.error_of(self.parse_answer(response), self.requested_wait_s(response))

    def error_of(self, answer: RawAnswer, wait_s: float | None = None) -> ProviderError:
        meaning, name = read_answer(self.answers, answer)
        detail = sentence(answer.text) if answer.has_shape else ""
        return meaning.error(name or self.code(answer), detail, retry_after_s=wait_s)

    def translate(self, error: Exception) -> ProviderError:
        response = getattr(error, "response", None)
        # Not `if response`: an answer with a status from 400 on is false.
        return self.refused(response) if isinstance(response, requests.Response) else from_transport(error)


def document(response: requests.Response) -> dict[str, Any]:
    # Empty if the answer contains no object.
    try:
        found = response.json()
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def retry_after_s(header: str | None, date: str | None = None) -> float | None:
    """Return the seconds a provider asks for, between 1 and 900, or None.

    A time is measured from `date`, the answer's own Date.
    """
    seconds = _number(header)
    if seconds is not None:
        return _clamped(seconds)
    until = _date(header)
    return None if until is None else until_reset_s(str(until.timestamp()), date)


def until_reset_s(reset: str | None, date: str | None) -> float | None:
    # Between 1 and 900, by the clock of the answer's Date: ours may be wrong by more than the wait.
    reset_at = _number(reset)
    if reset_at is None:
        return None
    sent_at = _date(date)
    return _clamped(reset_at - (time.time() if sent_at is None else sent_at.timestamp()))


def _number(header: str | None) -> float | None:
    try:
        number = float(header or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _date(header: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(header or "")
    except (ValueError, OverflowError):
        return None
    # HTTP's dates are all GMT.
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _clamped(seconds: float) -> float:
    return min(max(seconds, SHORTEST_WAIT_S), LONGEST_WAIT_S)


def from_transport(error: Exception) -> ProviderError:
    """Interpret a connection error: can the request have left this machine?"""
    # Anymail's exceptions have one of `requests` as their cause; our own calls raise that one directly.
    origin = error.__cause__ or error
    code = type(origin).__name__
    if isinstance(error, requests.exceptions.SSLError):
        if is_untrusted(origin):
            return ProviderError(ErrorClass.MISCONFIGURED, "certificate", "the provider's certificate is not trusted")
        return ProviderError(ErrorClass.AMBIGUOUS, code, "the TLS connection failed")
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError) or never_connected(error):
        return ProviderError(ErrorClass.TRANSIENT, code, "no connection to the provider")
    if isinstance(error, BAD_SETUP) or "CA certificate bundle" in str(error):
        return ProviderError(ErrorClass.MISCONFIGURED, code, "the API key, address or certificates cannot be used")
    return unknown(origin)


def is_untrusted(error: BaseException | None) -> bool:
    # OpenSSL's text about the certificate, or urllib3's about the name in it.
    return any(words in str(error) for words in ("CERTIFICATE_VERIFY_FAILED", "doesn't match"))


def never_connected(error: Exception) -> bool:
    # urllib3 wraps a refused connection and an unknown name in the same way.
    origin = error.__cause__ or error
    inner = origin.args[0] if origin.args else None
    return isinstance(inner, MaxRetryError) and isinstance(inner.reason, NewConnectionError)
