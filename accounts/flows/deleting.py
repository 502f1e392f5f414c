"""Delete an account at its owner's request."""

from django.db import transaction

from accounts.emails import ACCOUNT_DELETED, enqueue_email
from accounts.flows.passwords import still_has_password
from accounts.models import User


def delete(user: User) -> bool:
    """Delete the account and email a confirmation.

    Return False if the password that was checked is no longer the current one. The engine anonymizes the account's
    messages on pre_delete.
    """
    with transaction.atomic():
        account = User.objects.select_for_update().filter(**still_has_password(user), is_staff=False).first()
        if account is None:
            return False
        # The name is not sent to an unconfirmed address: it may belong to another person.
        context = {"name": account.name if account.confirmed_at else "", "language": account.language}
        address = account.email
        account.delete()
        enqueue_email(ACCOUNT_DELETED, None, address, context=context)
    return True


def is_gone(user: User) -> bool:
    return not User.objects.filter(pk=user.pk).exists()
