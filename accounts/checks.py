"""System checks of the settings that `accounts` reads."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's own name for it

from accounts.ratelimits.rules import Action, BadLimitError, Bucket, limit, read
from notifications import kept_for


def register() -> None:
    for check in (rate_limits, unknown_address_limit, trusted_proxies, unconfirmed_days, kept_messages):
        checks.register(check, "mailroom")


def rate_limits(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    for setting, names in (("CLIENT_LIMITS", Action), ("ADDRESS_LIMITS", Bucket)):
        try:
            read(getattr(settings, setting), names)
        except BadLimitError as error:
            hint = f"Set a limit, like 20/minute or 5/10 minutes, separated by commas, for each of: {', '.join(names)}."
            yield Error(f"{setting}: {error}.", hint=hint, id="mailroom.E014")


def unknown_address_limit(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    try:
        limit(settings.UNKNOWN_ADDRESS_LIMIT)
    except BadLimitError as error:
        yield Error(f"UNKNOWN_ADDRESS_LIMIT: {error}.", hint="Set one limit, like 1000/hour.", id="mailroom.E014")


def trusted_proxies(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    if settings.TRUSTED_PROXIES < 0:
        yield Error(
            "TRUSTED_PROXIES is below 0.",
            hint="Set it to the number of your proxies in front of the site, 0 for none.",
            id="mailroom.E015",
        )
    elif settings.SECURE_PROXY_SSL_HEADER and not settings.TRUSTED_PROXIES:
        yield Warning(
            "BEHIND_TLS_PROXY is set but TRUSTED_PROXIES is 0: rate limits count all users as one client, the proxy.",
            hint="Set TRUSTED_PROXIES to the number of proxies in front of the site, usually 1.",
            id="mailroom.W001",
        )


def unconfirmed_days(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    if timedelta(days=settings.UNCONFIRMED_DAYS) <= settings.CONFIRMATION_TIMEOUT:
        yield Error(
            "UNCONFIRMED_DAYS is too short: accounts would be deleted while their confirmation links still work.",
            hint="Set it to more than CONFIRMATION_TIMEOUT_S.",
            id="mailroom.E017",
        )


def kept_messages(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    # The purge decides by the newest link that was sent.
    kept = kept_for()
    if kept is not None and timedelta(days=settings.UNCONFIRMED_DAYS) >= kept:
        yield Error(
            "UNCONFIRMED_DAYS is too long: the messages that show which accounts are abandoned are deleted before.",
            hint="Set it to less than KEEP_MESSAGES_DAYS.",
            id="mailroom.E061",
        )
