"""Change the address of an account.

The new one is confirmed before it replaces the old, and the old one is notified.
"""

from enum import Enum, auto
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from accounts.emails import ACCOUNT_EXISTS, ADDRESS_CHANGE, ADDRESS_CHANGED, enqueue_email
from accounts.flows import news
from accounts.flows.passwords import still_has_password
from accounts.models import User
from accounts.tokens import address_change_tokens


class Change(Enum):
    DONE = auto()
    TAKEN = auto()  # somebody else has confirmed the address meanwhile
    BAD_LINK = auto()


def ask_for_change(user: User, address: str, reference: UUID | None = None) -> bool:
    """Email the new address: a link, or that its owner already has an account.

    False if the password that was checked is no longer the current one.
    """
    owner = User.objects.by_address(address)
    with transaction.atomic():
        if not User.objects.filter(**still_has_password(user)).update(new_email=address):
            return False
        kind, reader = (ADDRESS_CHANGE, user) if owner is None else (ACCOUNT_EXISTS, owner)
        enqueue_email(kind, reader, address, reference=reference)
    return True


def give_up_change(user: User) -> str:
    # The link to the new address no longer works. Returns the address that the account keeps.
    User.objects.filter(pk=user.pk).update(new_email="")
    return User.objects.filter(pk=user.pk).values_list("email", flat=True).first() or user.email


def change(user: User | None, token: str) -> Change:
    # If the token is valid. Posted twice, it is done once.
    if user is None or not user.new_email or not address_change_tokens.check_token(user, token):
        return Change.BAD_LINK
    try:
        if _replace_address(user):
            return Change.DONE
    except IntegrityError:
        return Change.TAKEN
    # The same link a moment ago, by a double click.
    done = User.objects.filter(pk=user.pk, email=user.new_email, new_email="").exists()
    return Change.DONE if done else Change.BAD_LINK


def _replace_address(user: User) -> bool:
    """Replace the address. Raises IntegrityError if another account has the new one."""
    with transaction.atomic():
        proven = User.objects.filter(**address_change_tokens.proof(user))
        if not proven.update(email=user.new_email, new_email="", confirmed_at=Now()):
            return False
        context = {"new_address": masked(user.new_email)}
        enqueue_email(ADDRESS_CHANGED, user, user.email, context=context)
        news.leave_if_unsubscribed(user.new_email)
    return True


def masked(address: str) -> str:
    # Its owner recognizes it, and a stranger cannot write to it: "a…a@example.com".
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}…{local[-1:] if len(local) > 2 else ''}{at}{domain}"  # noqa: PLR2004
