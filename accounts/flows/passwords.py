"""A password is changed, by somebody who knows the old one or by somebody who reads the account's mail."""

from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now
from django.views.decorators.debug import sensitive_variables

from accounts.models import User
from accounts.signals import account_event


@sensitive_variables("password")
def change_password(user: User, password: str, *, by_mail: bool = False) -> bool:
    """Set a password, end what was asked for with the old one, and tell the owner; False if the address has changed.

    All other sessions end with it. `by_mail`: the link for it came by mail, which confirms the address.
    """
    user.set_password(password)
    changes: dict[str, Any] = {"password": user.password, "new_email": ""}
    if by_mail:
        # Whoever signed up may have been somebody else, and follows the account no longer.
        changes |= {"sign_up": None, "replaced_at": None}
        changes["confirmed_at"] = Coalesce(F("confirmed_at"), Now())
    with transaction.atomic():
        # Nothing else: an administrator may have closed the account since this user was read. Only of this address:
        # hashing takes long enough for it to become another, of which the link proves nothing.
        if not User.objects.filter(pk=user.pk, email=user.email).update(**changes):
            return False
        account_event.send(sender=User, kind="password-changed", user=user, address=user.email)
    return True


def ask_for_reset(address: str) -> None:
    """Mail a link at which a new password can be chosen.

    To whoever may have one: that is found out when the mail is about to be sent. So this request does the same for
    everybody, also where there is no account.
    """
    user = User.objects.by_address(address)
    with transaction.atomic():
        account_event.send(sender=User, kind="password-reset", user=user, address=address)
