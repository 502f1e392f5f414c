"""System checks of the declared settings: their types, their values, and the proxies around them."""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.request import getproxies_environment

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error

from notifications import conf
from notifications.conf import settings
from notifications.rules.servers import web_address


def types(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    for name, kind in conf.wrong_types():
        yield Error(f"{name} is not {kind}.", hint=f"Set {name} to {kind}, or remove it.", id="mailroom.E030")


def values(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    for setting in conf.every_setting():
        yield from setting.check(setting.name, settings.value_of(setting))


def proxies(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    # requests and botocore call the providers' APIs through the environment's proxies.
    for scheme in ("http", "https", "all"):
        proxy = getproxies_environment().get(scheme, "")
        scheme_of_proxy, _, place = proxy.rpartition("://")
        login, _, place = place.rpartition("@")
        if proxy and (web_address(f"{scheme_of_proxy or 'http'}://{place}") is None or not login.isprintable()):
            name = f"{scheme.upper()}_PROXY"
            hint = f"Set {name}, or {name.lower()}, to one like http://proxy.example.com:3128, or unset both."
            yield Error(f"{name} is not an HTTP proxy.", hint=hint, id="mailroom.E054")
