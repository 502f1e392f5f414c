"""Sign up a user without account enumeration."""

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

# Only the owner of an address may learn, by email, whether it has an account already. So both ways do the same: one
# password hash, one look-up of the owner, one write to a user's row, one email.


def sign_up(wanted: User, pending: PendingSignUp, *, instead_of: PendingSignUp | None = None) -> None:
    """Save the validated `wanted`, or notify the owner of its address.

    With `instead_of`, an unconfirmed account of that sign-up is given up for the new one; with the same address, it
    becomes `wanted`. No account moves to another address: whether it could would show, in its own mailbox, whether the
    other address was free.
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
    """Email the sign-up again; return the browser's new memory.

    The last email names the next: two requests with one memory, as by a double click, write one email.
    """
    again = replace(pending, mail=uuid5(pending.mail, "again"), mailed_at=int(time()))
    ask_for_confirmation(again.address, again.mail, made_by=again)
    return again


def ask_for_confirmation(address: str, reference: UUID | None = None, *, made_by: PendingSignUp | None = None) -> None:
    """Email the owner of `address`: a link, or that there is an account.

    `made_by`, if given, is the requester's sign-up; another person's unconfirmed account then counts as an account.
    Without an owner the email is written nevertheless, and not sent: the request never learns it.
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
    """Save the account. Raises IntegrityError if another one got the address meanwhile."""
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
    """Update an unconfirmed account; False if it has been confirmed."""
    values = {name: getattr(wanted, name) for name in ("name", "password", "language", "wants_news")}
    return bool(User.objects.filter(pk=account.pk, confirmed_at=None).update(**values, replaced_at=None))


def _give_up(pending: PendingSignUp) -> None:
    # One statement, and one write if an account has that address, whoever created it.
    made_here = When(sign_up=pending.account, confirmed_at=None, then=Now())
    User.objects.filter(email=pending.address).update(replaced_at=Case(made_here, default=F("replaced_at")))
