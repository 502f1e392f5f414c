"""What an operator changes in an account. Its owner is notified, as of their own changes."""

from accounts.emails import ADDRESS_CHANGED, PASSWORD_CHANGED, enqueue_email
from accounts.flows import news
from accounts.flows.address import masked
from accounts.models import User


def password_changed(user: User) -> None:
    # Call it in the transaction that changed the password.
    _end_address_change(user)
    enqueue_email(PASSWORD_CHANGED, user, user.email)


def address_changed(user: User, old: str) -> None:
    # Call it in the transaction that changed the address. An unchanged address is not notified.
    if user.email != old:
        _end_address_change(user)
        context = {"new_address": masked(user.email)}
        enqueue_email(ADDRESS_CHANGED, user, old, context=context)
        news.leave_if_unsubscribed(user.email)


def _end_address_change(user: User) -> None:
    # The link of the waiting address no longer works.
    User.objects.filter(pk=user.pk).update(new_email="")
