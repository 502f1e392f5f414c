"""The engine's settings: `from notifications.conf import settings`."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from django.conf import global_settings
from django.conf import settings as django_settings

from notifications.conf.declarations import GROUPS, Declarations
from notifications.conf.parsing import NotReadableError
from notifications.conf.setting import Setting, declared
from notifications.rules.roles import role_of

# Each setting is declared once, with default, parser, check and help: the engine's in `declarations`, a provider's in
# its folder. Django's settings override the defaults.

__all__ = [
    "GROUPS", "Setting", "Settings", "add_groups", "declared", "every_setting", "from_environment", "groups", "is_set",
    "settings", "wrong_types",
]  # fmt: skip

T = TypeVar("T")
_ABSENT = object()
# Providers are in a layer above: their registry adds their groups.
_added: list[Callable[[], Iterable[type]]] = []


class Settings(Declarations):
    """The engine's settings. A provider's subclass adds those of the provider."""

    def value_of(self, setting: Setting[T]) -> T:
        default = setting.default
        if setting.of_process:
            default = setting.parser.parse(os.environ.get(setting.name) or role_of(sys.argv))
        return setting.tidy(getattr(django_settings, setting.name, default))

    def __getattr__(self, name: str) -> Any:
        # Django's settings, if no declaration has the name.
        return getattr(django_settings, name)


def add_groups(more: Callable[[], Iterable[type]]) -> None:
    _added.append(more)


def groups() -> Iterator[type]:
    yield from GROUPS
    for more in _added:
        yield from more()


def every_setting() -> Iterator[Setting[Any]]:
    yield from (setting for group in groups() for setting in declared(group))


def is_set(name: str) -> bool:
    # False for a default, Django's included.
    default = getattr(global_settings, name, _ABSENT)
    return hasattr(django_settings, name) and getattr(django_settings, name) != default


def from_environment() -> Iterator[Setting[Any]]:
    # Text, numbers and lists, but no functions.
    yield from (setting for setting in every_setting() if setting.in_environment)


def wrong_types() -> Iterator[tuple[str, str]]:
    """Yield each setting whose value has another type, with the right type."""
    for setting in (setting for setting in every_setting() if is_set(setting.name)):
        try:
            setting.parser.accept(getattr(django_settings, setting.name))
        except NotReadableError as error:
            yield setting.name, str(error)


settings = Settings()
