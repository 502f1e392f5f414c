"""Somebody signs up. Whether the address has an account already only its owner may learn, by mail.

So both ways do the same: one password hash, one look for the owner, one write to a user's row, one mail written down.
"""

from dataclasses import replace
from time import time
from uuid import UUID, uuid5

from django.db import IntegrityError, transaction
from django.db.models import Case, F, When
from django.db.models.functions import Now

from accounts.emails import ACCOUNT_EXISTS, WELCOME, enqueue_email
from accounts.flows.sign_up_cookie import PendingSignUp
from accounts.models import User
from accounts.ratelimits import is_flooded


def sign_up(wanted: User, pending: PendingSignUp, *, instead_of: PendingSignUp | None = None) -> None:
    """Save `wanted` (validated, its password set), or tell the owner of its address that somebody tried to.

    With `instead_of`, an account that came of that sign-up and is not confirmed yet is given up for the new one; of the
    same address, it is made what is `wanted` now. No account moves to another address: whether it could would show, in
    its own mailbox, whether the other address was free.
    """
    wanted.sign_up, wanted.reference = pending.account, pending.mail
    with transaction.atomic():
        owner = User.objects.by_address(wanted.email)
        if instead_of and instead_of.address != wanted.email:
            _give_up(instead_of)
        try:
            _take(wanted, owner)
        except IntegrityError:
            # Another post came a moment ago, or it has just been confirmed.
            owner = User.objects.by_address(wanted.email)
            if owner is None:
                raise
            # The other post of a double click has written this very email.
            is_own = owner.sign_up == wanted.sign_up and _renewed(owner, wanted)
            enqueue_email(WELCOME if is_own else ACCOUNT_EXISTS, owner, wanted.email, reference=pending.mail)


def resend(pending: PendingSignUp) -> PendingSignUp:
    """Write the email of a sign-up again; return what the browser remembers now.

    The last email names the next: asked for twice with one memory, as by a double click, it is written once.
    """
    again = replace(pending, mail=uuid5(pending.mail, "again"), mailed_at=int(time()))
    ask_for_confirmation(again.address, again.mail, made_by=again)
    return again


def ask_for_confirmation(address: str, reference: UUID | None = None, *, made_by: PendingSignUp | None = None) -> None:
    """Mail the owner of `address` what there is to do: confirm it, or nothing, for there is an account.

    `made_by`, if given, is the sign-up of whoever asks; somebody else's unconfirmed account is then an account as any.
    Where there is no owner the mail is written down all the same, and not sent: the request never finds out.
    """
    owner = User.objects.by_address(address)
    open_ = owner is None or (owner.confirmed_at is None and (made_by is None or made_by.made(owner)))
    flooded = is_flooded(known=owner is not None)
    with transaction.atomic():
        enqueue_email(WELCOME if open_ else ACCOUNT_EXISTS, owner, address, reference=reference)
        # Undone, and not left out: that would take less time.
        if flooded:
            transaction.set_rollback(True)


def _take(wanted: User, owner: User | None) -> None:
    """Raises IntegrityError if the address has become somebody else's since `owner` was looked for."""
    if owner is None:
        wanted.save()
        return
    with transaction.atomic():
        if owner.sign_up != wanted.sign_up:
            # As much work as a new account makes.
            User.objects.filter(pk=owner.pk).update(email=F("email"))
            enqueue_email(ACCOUNT_EXISTS, owner, wanted.email, reference=wanted.reference)
        elif _renewed(owner, wanted):
            enqueue_email(WELCOME, owner, wanted.email, reference=wanted.reference)
        else:
            wanted.save()


def _renewed(account: User, wanted: User) -> bool:
    """Make `account` what is `wanted`; False if it has been confirmed."""
    values = {name: getattr(wanted, name) for name in ("name", "password", "language", "wants_news")}
    return bool(User.objects.filter(pk=account.pk, confirmed_at=None).update(**values, replaced_at=None))


def _give_up(pending: PendingSignUp) -> None:
    """One statement, and one write where there is an account with that address, whoever made it."""
    made_here = When(sign_up=pending.account, confirmed_at=None, then=Now())
    User.objects.filter(email=pending.address).update(replaced_at=Case(made_here, default=F("replaced_at")))
