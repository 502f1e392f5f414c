"""Subscribe to product news, and unsubscribe."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.db.models.functions import Lower

from accounts.models import User
from notifications import is_unsubscribed, resubscribe

# Users subscribe in the preferences, or by confirming an address after asking for news at sign-up. They unsubscribe in
# the preferences, at the provider, or by a complaint; for the last two a receiver calls `unsubscribe`.


def unsubscribe(addresses: Collection[str]) -> int:
    # `addresses` are lower-cased. Returns the number of accounts changed.
    subscribed = User.objects.alias(lower_email=Lower("email")).filter(lower_email__in=addresses, wants_news=True)
    return subscribed.update(wants_news=False)


def save_preferences(member: User, changes: Mapping[str, Any]) -> bool:
    """Save the changes; return False if the account is gone, where save() would raise."""
    with transaction.atomic():
        saved = User.objects.filter(pk=member.pk).update(**changes)
        if saved and changes.get("wants_news"):
            record_consent(member)
    return bool(saved)


def record_consent(user: User) -> None:
    # Call it in the transaction of the change.
    resubscribe(user.email)


def follow_unsubscription(address: str) -> None:
    # Call it when the account moves to this address.
    if is_unsubscribed(address):
        unsubscribe([address.lower()])
