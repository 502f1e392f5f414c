"""Somebody signs up. Whether the address has an account already only its owner may learn, by mail.

So both ways do the same: one password hash, one look for the owner, one INSERT of a user, one mail written down.
"""

from dataclasses import replace
from time import time
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils.translation import get_language

from accounts.flows.started import Started
from accounts.models import User
from accounts.signals import account_event


def sign_up(wanted: User, started: Started, *, instead_of: Started | None = None) -> None:
    """Save `wanted` (validated, its password set), or tell the owner of its address that somebody tried to.

    With `instead_of` the account that came of that sign-up, if it is not confirmed yet, gets what is `wanted`; it is
    left as it was where the address is somebody else's.
    """
    with transaction.atomic():
        owner = User.objects.by_address(wanted.email)
        earlier = owner
        if instead_of and instead_of.address != wanted.email:
            earlier = User.objects.by_address(instead_of.address)
        wanted.sign_up, wanted.reference = started.account, started.mail
        try:
            if instead_of and earlier and instead_of.made(earlier) and _replaced(earlier, wanted):
                _tell("confirmation", earlier, wanted.email, started.mail)
            else:
                wanted.save()
        except IntegrityError:
            # Also of somebody who came a moment ago.
            owner = owner or User.objects.by_address(wanted.email)
            if owner is None:
                raise
            _tell("account-exists", owner, wanted.email, started.mail)


def mail_again(started: Started) -> Started:
    """Write the mail of a sign-up once more; return what to remember now."""
    again = replace(started, mail=uuid4(), mailed_at=int(time()))
    ask_for_confirmation(again.address, again.mail, made_by=again)
    return again


def ask_for_confirmation(address: str, reference: UUID | None = None, *, made_by: Started | None = None) -> None:
    """Mail the owner of `address` what there is to do: confirm it, or nothing, for there is an account.

    `made_by`, if given, is the sign-up of whoever asks; somebody else's unconfirmed account is then an account as any.
    Where there is no owner the mail is written down all the same, and not sent: the request never finds out.
    """
    owner = User.objects.by_address(address)
    open_ = owner is None or (owner.confirmed_at is None and (made_by is None or made_by.made(owner)))
    with transaction.atomic():
        _tell("confirmation" if open_ else "account-exists", owner, address, reference)


def language() -> str:
    """Return the language of the page in front of somebody."""
    return get_language() or ""


def _replaced(account: User, wanted: User) -> bool:
    """Make `account` what is `wanted`; False if it has been confirmed. Raises IntegrityError for a taken address."""
    values = {name: getattr(wanted, name) for name in ("email", "name", "password", "language", "sign_up")}
    with transaction.atomic():
        return bool(User.objects.filter(pk=account.pk, email=account.email, confirmed_at=None).update(**values))


def _tell(kind: str, user: User | None, address: str, reference: UUID | None) -> None:
    account_event.send(sender=User, kind=kind, user=user, address=address, reference=reference)
