"""Somebody signs up. Whether the address has an account already only its owner may learn, by mail.

So both ways do the same: one password hash, one look for the owner, one write to a user's row, one mail written down.
"""

from dataclasses import replace
from time import time
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import get_language

from accounts.flows.started import Started
from accounts.models import User
from accounts.signals import account_event


def sign_up(wanted: User, started: Started, *, instead_of: Started | None = None) -> None:
    """Save `wanted` (validated, its password set), or tell the owner of its address that somebody tried to.

    With `instead_of` the account that came of that sign-up, if it is not confirmed yet, gets what is `wanted`; it is
    left as it was where the address is somebody else's.
    """
    wanted.sign_up, wanted.reference = started.account, started.mail
    with transaction.atomic():
        owner = User.objects.by_address(wanted.email)
        earlier = None
        if instead_of:
            earlier = owner if instead_of.address == wanted.email else User.objects.by_address(instead_of.address)
        mine = earlier if instead_of and instead_of.made(earlier) else None
        try:
            _take(wanted, owner, mine)
        except IntegrityError:
            # Somebody came a moment ago, or it has just been confirmed.
            owner = User.objects.by_address(wanted.email)
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


def _take(wanted: User, owner: User | None, mine: User | None) -> None:
    """Raises IntegrityError if the address has become somebody else's since `owner` was looked for."""
    if owner is None and mine is None:
        wanted.save()
        return
    with transaction.atomic():
        if owner is not None and owner != mine:
            # As much work as a new account makes.
            User.objects.filter(pk=owner.pk).update(email=F("email"))
            _tell("account-exists", owner, wanted.email, wanted.reference)
        elif mine is not None and _replaced(mine, wanted):
            _tell("confirmation", mine, wanted.email, wanted.reference)
        else:
            wanted.save()


def _replaced(account: User, wanted: User) -> bool:
    """Make `account` what is `wanted`; False if it has been confirmed."""
    values = {name: getattr(wanted, name) for name in ("email", "name", "password", "language", "sign_up")}
    return bool(User.objects.filter(pk=account.pk, email=account.email, confirmed_at=None).update(**values))


def _tell(kind: str, user: User | None, address: str, reference: UUID | None) -> None:
    account_event.send(sender=User, kind=kind, user=user, address=address, reference=reference)
