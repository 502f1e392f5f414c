"""Return what Django's user model does not say about a user.

For each fact, a setting names a function by its dotted path; the defaults fit `auth.User`.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, cast

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.module_loading import import_string

from notifications.conf import settings


def address_of(user: AbstractBaseUser) -> str:
    # The user model's EMAIL_FIELD names the address.
    return str(getattr(user, user.get_email_field_name()) or "")


def language_of(user: AbstractBaseUser) -> str:
    # Empty for the language of the site. Setting: USER_LANGUAGE.
    return str(_function("USER_LANGUAGE")(user))


def display_name(user: AbstractBaseUser) -> str:
    # May be empty. Setting: USER_DISPLAY_NAME.
    return str(_function("USER_DISPLAY_NAME")(user))


def is_active(user: AbstractBaseUser) -> bool:
    # An inactive user gets no email. Setting: USER_IS_ACTIVE.
    return bool(_function("USER_IS_ACTIVE")(user))


def has_confirmed(user: AbstractBaseUser, address: str) -> bool:
    # Setting: USER_HAS_CONFIRMED. Email to unconfirmed addresses does not show the user's name: someone else may have
    # typed both.
    return bool(_function("USER_HAS_CONFIRMED")(user, address))


def preview_user(language: str) -> AbstractBaseUser:
    # Unsaved, and its links open nothing. Setting: PREVIEW_USER.
    return cast("AbstractBaseUser", _function("PREVIEW_USER")(language))


def _language(user: Any) -> str:
    return ""


def _name(user: Any) -> str:
    return user.get_full_name() if hasattr(user, "get_full_name") else ""


def _is_active(user: Any) -> bool:
    return bool(user.is_active)


def _owns(user: Any, address: str) -> bool:
    return address_of(user).lower() == address.lower()


def _sample(language: str) -> Any:
    model = get_user_model()
    return model(**{model.get_email_field_name(): "ada@example.com"})


_DEFAULTS: dict[str, Callable[..., Any]] = {
    "USER_LANGUAGE": _language,
    "USER_DISPLAY_NAME": _name,
    "USER_IS_ACTIVE": _is_active,
    "USER_HAS_CONFIRMED": _owns,
    "PREVIEW_USER": _sample,
}

_imported = cache(import_string)


def _function(setting: str) -> Callable[..., Any]:
    path = getattr(settings, setting)
    return cast("Callable[..., Any]", _imported(path)) if path else _DEFAULTS[setting]
