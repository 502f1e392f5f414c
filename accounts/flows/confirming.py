"""Confirm an address by its link; in another browser, with a password too."""

from datetime import timedelta
from enum import Enum, auto
from typing import Any

from django.contrib.auth.hashers import identify_hasher, is_password_usable
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.flows import news
from accounts.flows.sign_up_cookie import PendingSignUp
from accounts.models import User
from accounts.tokens import confirmation_tokens

# Mail scanners open links and may also submit forms. A scanner must not confirm the sign-up of a stranger, who would
# then log in with the stranger's own password.

# The second post of a double click comes within this time.
DOUBLE_CLICK = timedelta(minutes=1)


class Needs(Enum):
    """What a browser has to show beside the link."""

    NOTHING = auto()  # the sign-up was made in it
    PASSWORD = auto()
    NEW_PASSWORD = auto()  # the account has none: the reader of its email chooses the first one


def needs(user: User, pending: PendingSignUp | None) -> Needs:
    if pending is not None and pending.made(user):
        return Needs.NOTHING
    return Needs.PASSWORD if _has_password(user) else Needs.NEW_PASSWORD


def confirm(user: User) -> bool:
    """Confirm the address; False if the link or the checked password is no longer valid."""
    proof = confirmation_tokens.proof(user) | {"password": user.password}
    return _confirm(user, proof)


@sensitive_variables("password")
def confirm_with_first_password(user: User, password: str) -> bool:
    # The account has no password yet. False as in `confirm`.
    proof = confirmation_tokens.proof(user) | {"password": user.password}
    user.set_password(password)
    return _confirm(user, proof, password=user.password)


def _confirm(user: User, proof: dict[str, Any], **changes: Any) -> bool:
    # An account that asked for news did so for an unproven address: now its reader agrees.
    with transaction.atomic():
        confirmed = User.objects.filter(**proof).update(confirmed_at=Now(), **changes)
        if confirmed and user.wants_news:
            news.say_yes(user)
    return bool(confirmed)


def was_just_used(user: User | None, token: str) -> bool:
    # Recently, as by the first post of a double click.
    if user is None or user.confirmed_at is None or not confirmation_tokens.was_used(user, token):
        return False
    return timezone.now() - user.confirmed_at < DOUBLE_CLICK


def _has_password(user: User) -> bool:
    # False also for an import's placeholder in place of a hash.
    if not is_password_usable(user.password):
        return False
    try:
        identify_hasher(user.password)
    except ValueError:
        return False
    return True
