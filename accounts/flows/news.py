"""Subscribe to product news, and unsubscribe."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.db.models.functions import Lower

from accounts.models import User
from notifications import is_unsubscribed, resubscribe

# The user subscribes here: in the preferences, or by confirming an address for an account that asked for news. The user
# unsubscribes at the provider that delivered the news, or by a complaint; the receiver of that fact calls `leave`.


def leave(addresses: Collection[str]) -> int:
    # `addresses` are lower-cased. Returns the number of accounts.
    theirs = User.objects.alias(lower_email=Lower("email")).filter(lower_email__in=addresses, wants_news=True)
    return theirs.update(wants_news=False)


def save_preferences(member: User, changes: Mapping[str, Any]) -> bool:
    """Save the changes; False if the account is gone. save() would raise then."""
    with transaction.atomic():
        saved = User.objects.filter(pk=member.pk).update(**changes)
        if saved and changes.get("wants_news"):
            say_yes(member)
    return bool(saved)


def say_yes(user: User) -> None:
    # Called in the transaction that records the yes.
    resubscribe(user.email)


def leave_if_unsubscribed(address: str) -> None:
    # The account has moved to this address.
    if is_unsubscribed(address):
        leave([address.lower()])
