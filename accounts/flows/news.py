"""Subscribe to product news, and unsubscribe."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.db.models.functions import Lower, Now

from accounts.models import User
from notifications import Refusal, is_unsubscribed, refusal, resubscribe, unsubscribe

# Users subscribe in the preferences, on the page behind an email's link, or by confirming an address after asking for
# news at sign-up. They unsubscribe there, by their email program, at the provider, or by a complaint. The engine keeps
# these decisions for each address, and `wants_news` follows it: receivers call `follow_decision`.


def follow_decision(addresses: Collection[str], *, wants_news: bool) -> int:
    # `addresses` are lower-cased. Returns the number of accounts changed. Consent needs a confirmed address.
    users = User.objects.alias(lower_email=Lower("email")).filter(lower_email__in=addresses)
    if wants_news:
        users = users.filter(confirmed_at__isnull=False)
    return users.filter(wants_news=not wants_news).update(wants_news=wants_news, news_decided_at=Now())


def save_preferences(member: User, changes: Mapping[str, Any]) -> bool:
    """Save the changes; return False if the account is gone, where save() would raise."""
    decided = {"news_decided_at": Now()} if "wants_news" in changes else {}
    with transaction.atomic():
        saved = User.objects.filter(pk=member.pk).update(**changes, **decided)
        if saved and decided:
            _report(member, wants_news=changes["wants_news"])
    return bool(saved)


def _report(member: User, *, wants_news: bool) -> None:
    if not wants_news:
        unsubscribe(member.email)
    elif member.confirmed_at:
        record_consent(member)


def record_consent(user: User) -> None:
    # Call it in the transaction of the change. A complaint stays, so the account gets no news.
    if not resubscribe(user.email):
        follow_decision([user.email.lower()], wants_news=False)


def can_subscribe(member: User) -> bool:
    # Not after a complaint, which stays until an operator lifts it.
    return refusal(member.email) is not Refusal.COMPLAINED


def follow_unsubscription(address: str) -> None:
    # Call it when the account moves to this address.
    if is_unsubscribed(address):
        follow_decision([address.lower()], wants_news=False)
