"""Change a password, by the current one or by a link."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Case, F, Value, When
from django.db.models.functions import Coalesce, Now
from django.views.decorators.debug import sensitive_variables

from accounts.emails import PASSWORD_CHANGED, PASSWORD_RESET, enqueue_email
from accounts.models import User
from accounts.ratelimits import is_flooded
from accounts.tokens import password_reset_tokens


@sensitive_variables("password")
def reset_password(user: User, password: str) -> bool:
    # The link also confirms the address. Returns False if the link is no longer valid.
    # Another person may have signed up with this address: their browser loses the account, their request for news too.
    unconfirmed = When(confirmed_at=None, then=Value(False))
    news = {
        "wants_news": Case(unconfirmed, default=F("wants_news")),
        "news_decided_at": Case(When(confirmed_at=None, then=Value(None)), default=F("news_decided_at")),
    }
    now = {"sign_up": None, "replaced_at": None, "confirmed_at": Coalesce(F("confirmed_at"), Now()), **news}
    return _set(user, password, password_reset_tokens.proof(user), now)


@sensitive_variables("password")
def change_password(user: User, password: str) -> bool:
    """Set a new password; return False if the checked one is no longer current."""
    return _set(user, password, still_has_password(user), {})


def still_has_password(user: User) -> dict[str, Any]:
    # A filter for the UPDATE: the password that was checked is still the current one.
    return {"pk": user.pk, "is_active": True, "password": user.password}


@sensitive_variables("password")
def account_with_password(user: User, password: str) -> User | None:
    """Return the account as it is now, or None if this is not its password.

    For the second post of a double click: the first may have set the password.
    """
    account = User.objects.filter(pk=user.pk, is_active=True).first()
    return account if account is not None and account.check_password(password) else None


def request_reset(address: str, reference: UUID | None = None) -> None:
    # The worker decides whether the user may reset the password. So this request does the same work with and without
    # an account.
    user = User.objects.by_address(address)
    flooded = is_flooded(known=user is not None)
    with transaction.atomic():
        enqueue_email(PASSWORD_RESET, user, address, reference=reference)
        # Rolled back, not skipped: skipping would take less time and reveal that there is no account.
        if flooded:
            transaction.set_rollback(True)


@sensitive_variables("password")
def _set(user: User, password: str, proof: dict[str, Any], more: dict[str, Any]) -> bool:
    """Set the password if `proof` still holds, and notify the owner.

    Cancels a pending change of address and ends all other sessions. `proof` was taken before hashing, which takes long
    enough for the row to change.
    """
    user.set_password(password)
    with transaction.atomic():
        if not User.objects.filter(**proof).update(password=user.password, new_email="", **more):
            return False
        # Read again under the lock of the UPDATE: the address may have changed.
        account = User.objects.get(pk=user.pk)
        enqueue_email(PASSWORD_CHANGED, account, account.email)
    return True
