"""Change the address of an account.

The user confirms the new address first. The old one is notified.
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


class ChangeResult(Enum):
    DONE = auto()
    TAKEN = auto()  # another account uses the address
    BAD_LINK = auto()


def request_change(user: User, address: str, reference: UUID | None = None) -> bool:
    """Email a link to the new address, or inform its owner of their account.

    Return False if the password that was checked is no longer the current one.
    """
    owner = User.objects.by_address(address)
    with transaction.atomic():
        if not User.objects.filter(**still_has_password(user)).update(new_email=address):
            return False
        kind, reader = (ADDRESS_CHANGE, user) if owner is None else (ACCOUNT_EXISTS, owner)
        enqueue_email(kind, reader, address, reference=reference)
    return True


def cancel_change(user: User) -> str:
    # Invalidates the link. Returns the address that the account keeps.
    User.objects.filter(pk=user.pk).update(new_email="")
    return User.objects.filter(pk=user.pk).values_list("email", flat=True).first() or user.email


def change(user: User | None, token: str) -> ChangeResult:
    if user is None or not user.new_email or not address_change_tokens.check_token(user, token):
        return ChangeResult.BAD_LINK
    try:
        if _replace_address(user):
            return ChangeResult.DONE
    except IntegrityError:
        return ChangeResult.TAKEN
    # The first post of a double click has used the link.
    done = User.objects.filter(pk=user.pk, email=user.new_email, new_email="").exists()
    return ChangeResult.DONE if done else ChangeResult.BAD_LINK


def _replace_address(user: User) -> bool:
    """Replace the address; raise IntegrityError if another account uses the new one."""
    with transaction.atomic():
        proven = User.objects.filter(**address_change_tokens.proof(user))
        if not proven.update(email=user.new_email, new_email="", confirmed_at=Now()):
            return False
        context = {"new_address": masked(user.new_email)}
        enqueue_email(ADDRESS_CHANGED, user, user.email, context=context)
        news.follow_unsubscription(user.new_email)
    return True


def masked(address: str) -> str:
    # Only the owner recognizes it: "a…a@example.com".
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}…{local[-1:] if len(local) > 2 else ''}{at}{domain}"  # noqa: PLR2004
