"""Change a password: by the current one, or by a link to the account's address."""

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
    # The link also confirms the address. False if the link proves nothing now.
    # Another person may have signed up with this address: they follow the account no longer, and cannot ask for news.
    unproven = When(confirmed_at=None, then=Value(False))
    news = Case(unproven, default=F("wants_news"))
    now = {"sign_up": None, "replaced_at": None, "confirmed_at": Coalesce(F("confirmed_at"), Now()), "wants_news": news}
    return _set(user, password, password_reset_tokens.proof(user), now)


@sensitive_variables("password")
def change_password(user: User, password: str) -> bool:
    """Set a new password; False if the checked one is no longer the current one."""
    return _set(user, password, still_has_password(user), {})


def still_has_password(user: User) -> dict[str, Any]:
    # A filter: what the current password has proved.
    return {"pk": user.pk, "is_active": True, "password": user.password}


@sensitive_variables("password")
def having_now(user: User, password: str) -> User | None:
    """Return the account as it is now, or None if this is not its password.

    The first post of a double click may have set it.
    """
    account = User.objects.filter(pk=user.pk, is_active=True).first()
    return account if account is not None and account.check_password(password) else None


def ask_for_reset(address: str, reference: UUID | None = None) -> None:
    # Whether the user may have one is decided when the email is sent. So this request does the same for everyone, also
    # without an account.
    user = User.objects.by_address(address)
    flooded = is_flooded(known=user is not None)
    with transaction.atomic():
        enqueue_email(PASSWORD_RESET, user, address, reference=reference)
        # Undone, and not left out: that would take less time.
        if flooded:
            transaction.set_rollback(True)


@sensitive_variables("password")
def _set(user: User, password: str, proof: dict[str, Any], more: dict[str, Any]) -> bool:
    """Set the password if `proof` still holds, and notify the owner.

    Ends pending requests and all other sessions. Hashing takes long enough for the row to change, so `proof` comes from
    before.
    """
    user.set_password(password)
    with transaction.atomic():
        if not User.objects.filter(**proof).update(password=user.password, new_email="", **more):
            return False
        # The address as it is now, under the lock of the update.
        account = User.objects.get(pk=user.pk)
        enqueue_email(PASSWORD_CHANGED, account, account.email)
    return True
