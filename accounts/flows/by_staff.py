"""Notify an account's owner of changes by an operator."""

from accounts.emails import ADDRESS_CHANGED, PASSWORD_CHANGED, enqueue_email
from accounts.flows import news
from accounts.flows.address import masked
from accounts.models import User


def password_changed(user: User) -> None:
    # Call it in the transaction of the change.
    _cancel_address_change(user)
    enqueue_email(PASSWORD_CHANGED, user, user.email)


def address_changed(user: User, old: str) -> None:
    # Call it in the transaction of the change. Does nothing if the address is the same.
    if user.email != old:
        _cancel_address_change(user)
        context = {"new_address": masked(user.email)}
        enqueue_email(ADDRESS_CHANGED, user, old, context=context)
        news.follow_unsubscription(user.email)


def _cancel_address_change(user: User) -> None:
    # Invalidates the link to the new address.
    User.objects.filter(pk=user.pk).update(new_email="")
