"""Sign up a user without account enumeration."""

from dataclasses import replace
from time import time
from uuid import UUID, uuid5

from django.db import IntegrityError, transaction
from django.db.models import Case, F, When
from django.db.models.functions import Now
from django.utils import timezone

from accounts.emails import ACCOUNT_EXISTS, WELCOME, enqueue_email
from accounts.flows.sign_up_cookie import PendingSignUp
from accounts.models import User
from accounts.ratelimits import is_flooded

# Only the owner of an address may learn, by email, whether it has an account. So both cases do the same work: one
# password hash, one look-up of the owner, one write to a user's row, one email.


def sign_up(wanted: User, pending: PendingSignUp, *, instead_of: PendingSignUp | None = None) -> None:
    """Save the validated `wanted`, or notify the owner of its address.

    `instead_of` is the sign-up that this one replaces. If it has the same address, its unconfirmed account is updated;
    if not, that account is abandoned. It never moves to the new address: whether it moved would reveal, in its mailbox,
    whether the new address has an account.
    """
    wanted.sign_up, wanted.reference = pending.account, pending.mail
    # The form has asked. Its box is unticked at first.
    wanted.news_decided_at = timezone.now()
    with transaction.atomic():
        owner = User.objects.by_address(wanted.email)
        if instead_of and instead_of.address != wanted.email:
            _abandon(instead_of)
        try:
            _create_or_update(wanted, owner)
        except IntegrityError:
            # Another post was first, or the address has just been confirmed.
            owner = User.objects.by_address(wanted.email)
            if owner is None:
                raise
            # The first post of a double click has enqueued this email.
            is_own = owner.sign_up == wanted.sign_up and _update_unconfirmed(owner, wanted)
            enqueue_email(WELCOME if is_own else ACCOUNT_EXISTS, owner, wanted.email, reference=pending.mail)


def resend(pending: PendingSignUp) -> PendingSignUp:
    """Email the confirmation again; return the sign-up for the browser's cookie.

    The last email's reference determines the next one's, so a double click enqueues one email.
    """
    again = replace(pending, mail=uuid5(pending.mail, "again"), mailed_at=int(time()))
    request_confirmation(again.address, again.mail, made_by=again)
    return again


def request_confirmation(address: str, reference: UUID | None = None, *, made_by: PendingSignUp | None = None) -> None:
    """Email the owner of `address` a link, or inform them of their account.

    `made_by` is the requester's sign-up, if there is one: then another person's unconfirmed account counts as an
    account. Without an owner, the email is enqueued but not sent, so that the request does the same work.
    """
    owner = User.objects.by_address(address)
    open_ = owner is None or (owner.confirmed_at is None and (made_by is None or made_by.made(owner)))
    flooded = is_flooded(known=owner is not None)
    with transaction.atomic():
        enqueue_email(WELCOME if open_ else ACCOUNT_EXISTS, owner, address, reference=reference)
        # Rolled back, not skipped: skipping would take less time and reveal that there is no account.
        if flooded:
            transaction.set_rollback(True)


def _create_or_update(wanted: User, owner: User | None) -> None:
    """Save the account; raise IntegrityError if another account uses the address."""
    if owner is None:
        wanted.save()
        return
    with transaction.atomic():
        if owner.sign_up != wanted.sign_up:
            # As much work as creating an account.
            User.objects.filter(pk=owner.pk).update(email=F("email"))
            enqueue_email(ACCOUNT_EXISTS, owner, wanted.email, reference=wanted.reference)
        elif _update_unconfirmed(owner, wanted):
            enqueue_email(WELCOME, owner, wanted.email, reference=wanted.reference)
        else:
            wanted.save()


def _update_unconfirmed(account: User, wanted: User) -> bool:
    """Update an unconfirmed account; return False if it has been confirmed."""
    values = {name: getattr(wanted, name) for name in ("name", "password", "language", "wants_news", "news_decided_at")}
    return bool(User.objects.filter(pk=account.pk, confirmed_at=None).update(**values, replaced_at=None))


def _abandon(pending: PendingSignUp) -> None:
    # One statement, and one write if an account has that address, even if another browser created it.
    made_here = When(sign_up=pending.account, confirmed_at=None, then=Now())
    User.objects.filter(email=pending.address).update(replaced_at=Case(made_here, default=F("replaced_at")))
