"""What an account says to the templates of its mail, asked at the moment of sending: tokens are made here only.

Each function is called while the recipient's language is on, so what it words is worded in that.
"""

from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import ngettext

from accounts import links
from accounts.models import User
from notifications.conf import settings

Context = dict[str, Any]


def no_context(user: User) -> Context:
    return {}


def confirmation(user: User) -> Context:
    return {
        "name": user.name,
        "confirmation_url": settings.SITE_URL + links.confirmation_path(user),
        "valid_for": in_words(settings.CONFIRMATION_TIMEOUT),
    }


def password_reset(user: User) -> Context:
    return {
        "name": user.name,
        "reset_url": settings.SITE_URL + links.password_reset_path(user),
        "valid_for": in_words(timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)),
        "confirms": user.confirmed_at is None,
    }


def address_change(user: User) -> Context:
    return {
        "name": user.name,
        "new_address": user.new_email,
        "change_url": settings.SITE_URL + links.address_change_path(user),
        "valid_for": in_words(settings.CONFIRMATION_TIMEOUT),
    }


def account_pages(user: User) -> Context:
    """For a mail that proves nothing: it leads to pages that are everybody's."""
    return {
        "name": user.name,
        "log_in_url": settings.SITE_URL + reverse("accounts:log-in"),
        "ask_for_reset_url": settings.SITE_URL + reverse("accounts:password-reset"),
        "confirms": user.confirmed_at is None,
    }


def preferences(user: User) -> Context:
    return {"preferences_url": settings.SITE_URL + reverse("accounts:preferences")}


def in_words(time: timedelta) -> str:
    """Return "3 days", "1 hour" or "90 minutes": the largest unit that says it exactly, or minutes."""
    minutes = int(time.total_seconds() // 60)
    if minutes and minutes % 1440 == 0:
        return ngettext("%(count)d day", "%(count)d days", minutes // 1440) % {"count": minutes // 1440}
    if minutes and minutes % 60 == 0:
        return ngettext("%(count)d hour", "%(count)d hours", minutes // 60) % {"count": minutes // 60}
    return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
