"""The recipients' decisions about bulk email. Its suppressions record them; signals report each change.

An account's preference, a report of a provider, the page behind an email's link and a suppression state one fact.
"""

from collections.abc import Collection
from enum import StrEnum

from django.db import transaction
from django.db.models.functions import Now

from notifications.models import Suppression
from notifications.rules.suppression import Reason
from notifications.signals import resubscribed, unsubscribed

# What recipients did, as the log of an operator shows it.
BY_PAGE = "on the page behind the link in an email"
BY_ONE_CLICK = "by the button of an email program"
BY_APPLICATION = "in the application"
CAME_BACK = "the recipient subscribed to news again"
COMPLAINT_WAS_LIFTED = "a complaint was lifted; the recipient has not subscribed again"

ENDS_BULK = {Reason.UNSUBSCRIBED, Reason.COMPLAINT}


class Subscription(StrEnum):
    """What a recipient has decided about bulk email."""

    SUBSCRIBED = "subscribed"  # or not yet decided
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"  # only an operator or the provider can lift it


def subscription(address: str) -> Subscription:
    reasons = set(Suppression.objects.in_force([address]).values_list("reason", flat=True))
    if Reason.COMPLAINT in reasons:
        return Subscription.COMPLAINED
    return Subscription.UNSUBSCRIBED if Reason.UNSUBSCRIBED in reasons else Subscription.SUBSCRIBED


def is_unsubscribed(address: str) -> bool:
    # From bulk email, by unsubscribing or by a complaint.
    return subscription(address) is not Subscription.SUBSCRIBED


def unsubscribe(address: str, how: str = BY_APPLICATION) -> None:
    """Send no more bulk email to an address, as its recipient wishes. Repeating it changes nothing."""
    with transaction.atomic():
        _suppress([address.lower()], how)
        unsubscribed.send(sender=Suppression, addresses=frozenset([address.lower()]))


def resubscribe(address: str) -> bool:
    """Send bulk email to an address again, as its recipient wishes.

    Return False, and change nothing, while a complaint is in force: the providers keep it too.
    """
    with transaction.atomic():
        if subscription(address) is Subscription.COMPLAINED:
            return False
        left = Suppression.objects.in_force([address]).filter(reason=Reason.UNSUBSCRIBED)
        left.update(lifted_at=Now(), lift_reason=CAME_BACK)
        resubscribed.send(sender=Suppression, addresses=frozenset([address.lower()]))
    return True


def follow_lift(addresses: Collection[str], reason: Reason) -> None:
    """Report what lifting these suppressions means. Call it in the same transaction.

    Only the recipient can consent: without a complaint, they are still unsubscribed.
    """
    if reason is Reason.COMPLAINT:
        _suppress(addresses, COMPLAINT_WAS_LIFTED)
    elif reason is Reason.UNSUBSCRIBED:
        complained = Suppression.objects.in_force(addresses).filter(reason=Reason.COMPLAINT)
        if back := frozenset(addresses) - set(complained.values_list("address", flat=True)):
            resubscribed.send(sender=Suppression, addresses=back)


def _suppress(addresses: Collection[str], how: str) -> None:
    rows = [Suppression(address=address, reason=Reason.UNSUBSCRIBED, detail=how) for address in sorted(addresses)]
    Suppression.objects.bulk_create(rows, ignore_conflicts=True)
