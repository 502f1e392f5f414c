"""Product news: one answer of a person, for the tick box and for whoever sends the news.

Said here: yes, in the preferences or by confirming an address for an account that asked for news. Said elsewhere: no,
to the provider that delivered the news or by a complaint; whoever hears of that calls `leave`.
"""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.db.models.functions import Lower

from accounts.models import User
from notifications import is_unsubscribed, resubscribe


def leave(addresses: Collection[str]) -> int:
    """Clear the tick box of the accounts with these addresses (lower-cased); return of how many."""
    theirs = User.objects.alias(lower_email=Lower("email")).filter(lower_email__in=addresses, wants_news=True)
    return theirs.update(wants_news=False)


def save_preferences(member: User, changes: Mapping[str, Any]) -> bool:
    """Save what a member changed; False if the account is gone. No save(): that raises then."""
    with transaction.atomic():
        saved = User.objects.filter(pk=member.pk).update(**changes)
        if saved and changes.get("wants_news"):
            say_yes(member)
    return bool(saved)


def say_yes(user: User) -> None:
    """Send news again to the reader of the account's address. Called in the transaction that records the yes."""
    resubscribe(user.email)


def leave_if_unsubscribed(address: str) -> None:
    """Clear the tick box of an account that has moved to an address whose reader had left the news."""
    if is_unsubscribed(address):
        leave([address.lower()])
