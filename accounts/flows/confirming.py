"""Confirm an address by its link and, in another browser, the password."""

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

# Email scanners open links and may submit forms. If a scanner could confirm an address, an attacker could sign up with
# a victim's address and log in with the password they chose.

# The second post of a double click arrives within this time.
DOUBLE_CLICK = timedelta(minutes=1)


class Needs(Enum):
    """What confirming requires besides the link."""

    NOTHING = auto()  # the user signed up in this browser
    PASSWORD = auto()
    NEW_PASSWORD = auto()  # the account has none: the user chooses the first one


def needs(user: User, pending: PendingSignUp | None) -> Needs:
    if pending is not None and pending.made(user):
        return Needs.NOTHING
    return Needs.PASSWORD if _has_password(user) else Needs.NEW_PASSWORD


def confirm_address(user: User) -> bool:
    """Confirm the address; return False if the link or password is no longer valid."""
    proof = confirmation_tokens.proof(user) | {"password": user.password}
    return _confirm(user, proof)


@sensitive_variables("password")
def confirm_with_first_password(user: User, password: str) -> bool:
    # For an account without a password. Returns False as `confirm_address` does.
    proof = confirmation_tokens.proof(user) | {"password": user.password}
    user.set_password(password)
    return _confirm(user, proof, password=user.password)


def _confirm(user: User, proof: dict[str, Any], **changes: Any) -> bool:
    # A user subscribed while signing up. It takes effect only now that the address is confirmed.
    with transaction.atomic():
        confirmed = User.objects.filter(**proof).update(confirmed_at=Now(), **changes)
        if confirmed and user.wants_news:
            news.record_consent(user)
    return bool(confirmed)


def was_just_used(user: User | None, token: str) -> bool:
    # For the second post of a double click.
    if user is None or user.confirmed_at is None or not confirmation_tokens.was_used(user, token):
        return False
    return timezone.now() - user.confirmed_at < DOUBLE_CLICK


def _has_password(user: User) -> bool:
    # Imported accounts may have a placeholder instead of a hash.
    if not is_password_usable(user.password):
        return False
    try:
        identify_hasher(user.password)
    except ValueError:
        return False
    return True
