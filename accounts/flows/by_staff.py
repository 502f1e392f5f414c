"""What an operator changes of an account: its owner is notified, as of their own changes."""

from accounts.flows.address import masked
from accounts.models import User
from accounts.signals import account_event


def password_changed(user: User) -> None:
    """Call it in the transaction that changed the password."""
    _end_address_change(user)
    account_event.send(sender=User, kind="password-changed", user=user, address=user.email)


def address_changed(user: User, old: str) -> None:
    """Notify the old address, if there is another now. Call it in the transaction that changed it."""
    if user.email != old:
        _end_address_change(user)
        context = {"new_address": masked(user.email)}
        account_event.send(sender=User, kind="address-changed", user=user, address=old, context=context)


def _end_address_change(user: User) -> None:
    """Forget the address that waits to be confirmed: its link no longer works."""
    User.objects.filter(pk=user.pk).update(new_email="")
