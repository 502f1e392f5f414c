"""An account is deleted by its owner."""

from django.db import transaction

from accounts.models import User
from accounts.signals import account_event


def delete(user: User) -> None:
    """Delete the account and say farewell. Whoever keeps something of it hears Django's pre_delete."""
    context = {"name": user.name, "language": user.language}
    address = user.email
    with transaction.atomic():
        user.delete()
        account_event.send(sender=User, kind="account-deleted", user=None, address=address, context=context)
