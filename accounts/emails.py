"""The emails that this site sends, one declaration each: docs/how-to/add-a-kind.md.

The worker calls the functions when it sends, in the recipient's language. Only those in `secrets` create tokens.
"""

from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import links
from accounts.models import User
from accounts.ratelimits import requester_key
from notifications import DeliveryGuarantee, Draft, Kind, Stream, enqueue, register

# Paths do not change while a process runs. For an email to many, finding one would take a third of the rendering.
_path = cache(reverse)


def confirmation_context(user: User) -> dict[str, Any]:
    return {
        "name": user.name,
        "valid_for": duration_in_words(settings.CONFIRMATION_TIMEOUT),
    }


def confirmation_url(user: User) -> str:
    return f"{settings.SITE_URL}{links.confirmation_path(user)}"


def password_reset_context(user: User) -> dict[str, Any]:
    return {
        "name": user.name,
        "valid_for": duration_in_words(timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)),
        "confirms": user.confirmed_at is None,
    }


def reset_url(user: User) -> str:
    return f"{settings.SITE_URL}{links.password_reset_path(user)}"


def address_change_context(user: User) -> dict[str, Any]:
    return {
        "name": user.name,
        "new_address": user.new_email,
        "valid_for": duration_in_words(settings.CONFIRMATION_TIMEOUT),
    }


def change_url(user: User) -> str:
    return f"{settings.SITE_URL}{links.address_change_path(user)}"


def public_pages_context(user: User) -> dict[str, Any]:
    # For emails without a token: these pages are public.
    return {
        "name": user.name,
        "log_in_url": settings.SITE_URL + _path("accounts:log-in"),
        "ask_for_reset_url": settings.SITE_URL + _path("accounts:password-reset"),
        "confirms": user.confirmed_at is None,
    }


def preferences_context(user: User) -> dict[str, Any]:
    return {"preferences_url": settings.SITE_URL + _path("accounts:preferences")}


def duration_in_words(time: timedelta) -> str:
    # "3 days", "1 hour" or "90 minutes": the largest exact unit.
    minutes = int(time.total_seconds() // 60)
    if minutes and minutes % 1440 == 0:
        return ngettext("%(count)d day", "%(count)d days", minutes // 1440) % {"count": minutes // 1440}
    if minutes and minutes % 60 == 0:
        return ngettext("%(count)d hour", "%(count)d hours", minutes // 60) % {"count": minutes // 60}
    return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}


def is_unconfirmed(user: User) -> bool:
    return user.confirmed_at is None and user.replaced_at is None


def wants_news(user: User) -> bool:
    return user.wants_news


def new_address(user: User) -> str:
    return str(user.new_email)


def news_readers() -> QuerySet[User]:
    return User.objects.filter(is_active=True, confirmed_at__isnull=False, wants_news=True)


# Neither this kind nor the next has `newest_wins`: a second sign-up with the same address would reveal, on the page of
# the first, whether both sent the same kind.
WELCOME = register(
    Kind(
        name="welcome",
        title=_("Confirm your address"),
        occasion=_("You signed up %(when)s."),
        stream=Stream.DEFAULT,
        max_age=timedelta(days=2),
        context=confirmation_context,
        secrets={"confirmation_url": confirmation_url},
        is_relevant=is_unconfirmed,
        to_unconfirmed=True,
    )
)
# Sent when someone signs up with the address of an account. The page does not show it; only the owner is informed.
ACCOUNT_EXISTS = register(
    Kind(
        name="account-exists",
        title=_("You already have an account"),
        occasion=_("Someone signed up with your address %(when)s."),
        stream=Stream.DEFAULT,
        max_age=timedelta(days=1),
        context=public_pages_context,
        secrets={},
        hide_behind_sign_up=True,
        to_inactive_users=True,
    )
)
PASSWORD_RESET = register(
    Kind(
        name="password-reset",
        title=_("Reset your password"),
        occasion=_("You asked for a new password %(when)s."),
        stream=Stream.CRITICAL,
        max_age=timedelta(hours=1),
        context=password_reset_context,
        secrets={"reset_url": reset_url},
        newest_wins=True,
        may_recheck=True,
    )
)
PASSWORD_CHANGED = register(
    Kind(
        name="password-changed",
        title=_("Your password was changed"),
        occasion=_("Your password was changed %(when)s."),
        stream=Stream.CRITICAL,
        max_age=timedelta(days=2),
        context=public_pages_context,
        secrets={},
    )
)
ADDRESS_CHANGE = register(
    Kind(
        name="address-change",
        title=_("Confirm your new address"),
        occasion=_("You asked to change the email address of your account %(when)s."),
        stream=Stream.CRITICAL,
        max_age=timedelta(days=1),
        context=address_change_context,
        secrets={"change_url": change_url},
        address=new_address,
        newest_wins=True,
        to_unconfirmed=True,
        # Not sent if the new address has an account; its absence from the history would reveal that.
        in_history=False,
    )
)
# To the old address; `new_address` comes with the message's own context.
ADDRESS_CHANGED = register(
    Kind(
        name="address-changed",
        title=_("Your address was changed"),
        occasion=_("The email address of your account was changed %(when)s."),
        stream=Stream.CRITICAL,
        max_age=timedelta(days=2),
        context=public_pages_context,
        secrets={},
        requires_account=False,
        preview_context={"new_address": "g…e@example.com"},
    )
)
# To an address that bounced, when its owner asks for it: flows/bouncing.py.
ADDRESS_CHECK = register(
    Kind(
        name="address-check",
        title=_("Check of your address"),
        occasion=_("You asked us to check your email address %(when)s."),
        stream=Stream.CRITICAL,
        max_age=timedelta(days=1),
        context=public_pages_context,
        secrets={},
    )
)
# The account is gone by then: `name` and `language` come with the message's own context.
ACCOUNT_DELETED = register(
    Kind(
        name="account-deleted",
        title=_("Your account was deleted"),
        occasion=_("Your account was deleted %(when)s."),
        stream=Stream.DEFAULT,
        max_age=timedelta(days=1),
        requires_account=False,
        preview_context={"name": "Ada Lovelace"},
    )
)
# Its text comes with each message's own context: `headline` and `paragraphs`.
PRODUCT_NEWS = register(
    Kind(
        name="product-news",
        title=_("Product news"),
        stream=Stream.BULK,
        max_age=timedelta(days=7),
        context=preferences_context,
        secrets={},
        is_relevant=wants_news,
        audience=news_readers,
        guarantee=DeliveryGuarantee.AT_MOST_ONCE,
        preview_context={
            "headline": "See where your email is",
            "paragraphs": [
                "After signing up, you now see whether our email has arrived, and can correct a mistyped address.",
                "There is nothing to turn on.",
            ],
        },
    )
)


def enqueue_email(
    kind: Kind,
    user: User | None,
    address: str,
    *,
    reference: UUID | None = None,
    context: dict[str, Any] | None = None,
) -> None:
    """Enqueue one email for the client of the current request.

    `reference` becomes its id. Call it in the transaction that changes the account: both commit, or neither.
    """
    enqueue(Draft(kind=kind.name, to=address, user=user, id=reference, context=context or {}, client=requester_key()))


def welcome_draft(user: User) -> Draft:
    # Idempotent: one email for each user and address.
    key = f"{WELCOME.name}:{user.pk}:{user.email}"
    return Draft(kind=WELCOME.name, to=user.email, user=user, key=key, id=user.reference, client=requester_key())
