"""The decorators and functions that views call to count requests."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import salted_hmac

from accounts.addresses import canonical_address, mailbox_of
from accounts.ratelimits import limiter, rules
from accounts.ratelimits.client_ip import client_of
from accounts.ratelimits.limiter import Counted, RateLimitedError
from accounts.ratelimits.rules import Action, Bucket
from notifications import Cooldown

logger = logging.getLogger(__name__)

# A process logs the flood at most once in this time.
_flood_logged = Cooldown(60.0)

# Never change it: counts and clients of earlier messages would no longer match.
HASH_SALT = "accounts.throttling"

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def throttled(action: Action) -> Callable[[View], View]:
    # For a class's `post`, or for a view that accepts only POST.
    def decorate(view: View) -> View:
        @wraps(view)
        def counted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            _count_client(action, request)
            return view(request, *args, **kwargs)

        return counted  # type: ignore[return-value]

    return decorate


def count(bucket: Bucket, address: str) -> Counted:
    """Count one attempt for an address, in any spelling. Raises RateLimitedError."""
    limit = rules.read(settings.ADDRESS_LIMITS, Bucket)[bucket]
    return limiter.count(limit, "address", bucket, _address_key(address))


def is_flooded(*, known: bool) -> bool:
    """Count a request for email; return whether addresses without an account had too many.

    `known`: the address has an account. It is also counted, so that it takes as long, but never flooded.
    """
    limit = rules.limit(settings.UNKNOWN_ADDRESS_LIMIT)
    try:
        limiter.count(limit, "all", "known" if known else "unknown")
    except RateLimitedError:
        if not known and not _flood_logged.active:
            _flood_logged.start()
            logger.warning("more than %s requests for addresses without an account: no messages are stored", limit)
        return not known
    return False


def count_member(request: HttpRequest) -> Counted:
    """Count a member's attempt to enter the current password. Raises RateLimitedError."""
    bucket = Bucket.CURRENT_PASSWORD
    limit = rules.read(settings.ADDRESS_LIMITS, Bucket)[bucket]
    return limiter.count(limit, "member", bucket, _keyed_hash(str(request.user.pk)))


@dataclass
class Attempt:
    """One attempt to enter a password. The caller sets `succeeded`."""

    succeeded: bool = False


@contextmanager
def trying(request: HttpRequest, address: str) -> Iterator[Attempt]:
    """Count a check of a password for `address`. Raises RateLimitedError.

    An attempt counts as failed before it is made, so that simultaneous attempts cannot exceed the limit. Only success
    reverts that.
    """
    failed = _count_client(Action.FAILED_LOG_IN, request), count(Bucket.FAILED_LOG_IN, address)
    attempt = Attempt()
    yield attempt
    if attempt.succeeded:
        for counted in failed:
            counted.rollback()


def clear_failed_log_ins(address: str) -> None:
    # Called after the owner has chosen another password.
    limit = rules.read(settings.ADDRESS_LIMITS, Bucket)[Bucket.FAILED_LOG_IN]
    limiter.clear(limit, "address", Bucket.FAILED_LOG_IN, _address_key(address))


def guarded(view: View) -> View:
    # For a log-in view that reads `username` and redirects after the right password.
    @wraps(view)
    def counted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        _count_client(Action.LOG_IN, request)
        with trying(request, _typed(request)) as attempt:
            response = view(request, *args, **kwargs)
            attempt.succeeded = response.status_code == HTTPStatus.FOUND
        return response

    return counted  # type: ignore[return-value]


def client_key(request: HttpRequest) -> str:
    client = client_of(
        request.META.get("REMOTE_ADDR") or "",
        request.META.get("HTTP_X_FORWARDED_FOR") or "",
        settings.TRUSTED_PROXIES,
    )
    return _keyed_hash(client)


def _count_client(action: Action, request: HttpRequest) -> Counted:
    limit = rules.read(settings.CLIENT_LIMITS, Action)[action]
    return limiter.count(limit, "client", action, client_key(request))


def _typed(request: HttpRequest) -> str:
    return request.POST.get("username") or ""


def _address_key(typed: str) -> str:
    # The same for all spellings of an address and all addresses of its mailbox.
    try:
        return _keyed_hash(mailbox_of(canonical_address(typed.strip())))
    except ValidationError:
        return _keyed_hash(typed.strip().lower())


def _keyed_hash(text: str) -> str:
    return salted_hmac(HASH_SALT, text.encode(errors="replace"), algorithm="sha256").hexdigest()
