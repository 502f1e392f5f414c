"""The engine's settings: `from notifications.conf import settings`."""

import os
from collections.abc import Iterator
from typing import Any, TypeVar

from django.conf import global_settings
from django.conf import settings as django_settings

from notifications.conf.declarations import GROUPS, Declarations
from notifications.conf.parsing import NotReadableError
from notifications.conf.setting import Setting, declared

# Each setting is declared once, with default, parser and help, in `declarations`. Django's settings override the
# defaults.

__all__ = ["GROUPS", "Setting", "Settings", "declared", "from_environment", "is_set", "misfits", "settings"]

T = TypeVar("T")


class Settings(Declarations):
    def value_of(self, setting: Setting[T]) -> T:
        default = setting.default
        if setting.of_process and setting.name in os.environ:
            default = setting.parser.parse(os.environ[setting.name])
        return setting.tidy(getattr(django_settings, setting.name, default))

    def __getattr__(self, name: str) -> Any:
        # Django's settings, if the engine does not own the name.
        return getattr(django_settings, name)


def is_set(name: str) -> bool:
    # False for a default, Django's included.
    return hasattr(django_settings, name) and getattr(django_settings, name) != getattr(global_settings, name, None)


def from_environment() -> Iterator[Setting[Any]]:
    # Text, numbers and lists, but no functions.
    yield from (setting for group in GROUPS for setting in declared(group) if setting.in_environment)


def misfits() -> Iterator[tuple[str, str]]:
    # With what each should be.
    for setting in (setting for group in GROUPS for setting in declared(group) if is_set(setting.name)):
        try:
            setting.parser.accept(getattr(django_settings, setting.name))
        except NotReadableError as error:
            yield setting.name, str(error)


settings = Settings()
