"""An account gets another address: the new one is confirmed before it replaces the old, and the old one is told."""

from enum import Enum, auto

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from accounts.signals import account_event
from accounts.tokens import address_change_tokens


class Change(Enum):
    DONE = auto()
    TAKEN = auto()  # somebody else has confirmed the address meanwhile
    BAD_LINK = auto()


def ask_for_change(user: User, address: str) -> None:
    """Write to the new address: a link to its reader, or to its owner that there is an account with it already."""
    owner = User.objects.by_address(address)
    user.new_email = address
    with transaction.atomic():
        user.save(update_fields=["new_email"])
        if owner is None:
            account_event.send(sender=User, kind="address-change", user=user, address=address)
        else:
            account_event.send(sender=User, kind="account-exists", user=owner, address=address)


def give_up_change(user: User) -> None:
    """Forget the new address; the link to it no longer works."""
    user.new_email = ""
    user.save(update_fields=["new_email"])


def change(user: User | None, token: str) -> Change:
    """Replace the address by the new one, if the token is good for it."""
    if user is None:
        return Change.BAD_LINK
    with transaction.atomic():
        account = User.objects.select_for_update().filter(pk=user.pk).first()
        if account is None or not account.is_active or not address_change_tokens.check_token(account, token):
            return Change.BAD_LINK
        old, account.email, account.new_email = account.email, account.new_email, ""
        account.confirmed_at = timezone.now()
        try:
            account.save(update_fields=["email", "new_email", "confirmed_at"])
        except IntegrityError:
            return Change.TAKEN
        context = {"new_address": masked(account.email)}
        account_event.send(sender=User, kind="address-changed", user=account, address=old, context=context)
    return Change.DONE


def masked(address: str) -> str:
    """Return an address that its owner knows again and a stranger cannot write to: "a…a@example.com"."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}…{local[-1:] if len(local) > 2 else ''}{at}{domain}"  # noqa: PLR2004
