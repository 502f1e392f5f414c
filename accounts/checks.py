"""System checks of the settings of accounts."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's own name for it

from accounts.ratelimits.rules import Action, BadLimitError, Bucket, limit, read


def register() -> None:
    for check in (rate_limits, unknown_address_limit, trusted_proxies, unconfirmed):
        checks.register(check, "mailroom")


def rate_limits(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    for setting, names in (("CLIENT_LIMITS", Action), ("ADDRESS_LIMITS", Bucket)):
        try:
            read(getattr(settings, setting), names)
        except BadLimitError as error:
            hint = f"Limits like 20/minute or 5/10 minutes, separated by commas, one for each of: {', '.join(names)}."
            yield Error(f"{setting}: {error}.", hint=hint, id="mailroom.E014")


def unknown_address_limit(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    try:
        limit(settings.UNKNOWN_ADDRESS_LIMIT)
    except BadLimitError as error:
        yield Error(f"UNKNOWN_ADDRESS_LIMIT: {error}.", hint="One limit, like 1000/hour.", id="mailroom.E014")


def trusted_proxies(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    if settings.TRUSTED_PROXIES < 0:
        yield Error(
            "TRUSTED_PROXIES is below 0.",
            hint="Set it to the number of proxies of yours in front of the site, 0 for none.",
            id="mailroom.E015",
        )
    elif settings.SECURE_PROXY_SSL_HEADER and not settings.TRUSTED_PROXIES:
        yield Warning(
            "BEHIND_TLS_PROXY is set and TRUSTED_PROXIES is 0: all people are counted as one client, the proxy.",
            hint="Set TRUSTED_PROXIES to the number of proxies in front of the site, usually 1.",
            id="mailroom.W001",
        )


def unconfirmed(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    if timedelta(days=settings.UNCONFIRMED_DAYS) <= settings.CONFIRMATION_TIMEOUT:
        yield Error(
            "UNCONFIRMED_DAYS is too short: accounts would be deleted while their links still work.",
            hint="Make it longer than CONFIRMATION_TIMEOUT_S.",
            id="mailroom.E017",
        )
