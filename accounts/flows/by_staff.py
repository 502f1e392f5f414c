"""What an administrator changes of an account: its owner is told, as of their own changes."""

from accounts.flows.address import masked
from accounts.models import User
from accounts.signals import account_event


def password_changed(user: User) -> None:
    """Call it in the transaction that changed the password."""
    account_event.send(sender=User, kind="password-changed", user=user, address=user.email)


def address_changed(user: User, old: str) -> None:
    """Tell the old address, if there is another now. Call it in the transaction that changed it."""
    if user.email != old:
        context = {"new_address": masked(user.email)}
        account_event.send(sender=User, kind="address-changed", user=user, address=old, context=context)
