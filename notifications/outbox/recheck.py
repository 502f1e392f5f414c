"""Let the owner of an address that bounced have it tested, once a day."""

from dataclasses import replace
from datetime import timedelta

from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, Q, Value
from django.db.models.functions import Coalesce, Now

from notifications.models import Message, Suppression
from notifications.models.suppression import ON_PROVIDERS_LIST, SuppressionQuerySet
from notifications.outbox.draft import Draft, recipients_of
from notifications.outbox.enqueue import enqueue
from notifications.outbox.resend import hold
from notifications.rules.ids import time_ordered_id
from notifications.rules.suppression import BOUNCES, Reason, may_ask_for_recheck

EVERY = timedelta(days=1)
#: The message waits until the address is off the provider's list, which would drop it. A job asks the provider.
WAITS = timedelta(seconds=60)
_WAS_RECHECKED = ExpressionWrapper(Q(rechecked_at__gt=Now() - EVERY), output_field=BooleanField())


def can_recheck(address: str) -> bool:
    """Return whether `request_recheck` would send a message to the address now."""
    return _allow(Suppression.objects.in_force([address]))


def request_recheck(draft: Draft) -> Message | None:
    """Enqueue a message to an address that bounced; its delivery lifts the suppression.

    None if the address was tested within a day, accepts email, or is suppressed for another reason than bounces. Only
    for the owner of the address, who is logged in. The kind is none of bulk email.
    """
    draft = replace(draft, id=draft.id or time_ordered_id())
    address = recipients_of(draft)[0].address
    with transaction.atomic():
        in_force = Suppression.objects.in_force([address])
        # In order of id, like all code that locks several rows. A second click waits here, and then finds the first.
        if not _allow(in_force.order_by("id").select_for_update()):
            return None
        in_force.filter(reason__in=BOUNCES).update(recheck_id=draft.id, rechecked_at=Now(), **ON_PROVIDERS_LIST)
        message = enqueue(draft)
        hold(message, WAITS.total_seconds())
    return message


def _allow(in_force: SuppressionQuerySet) -> bool:
    found = in_force.annotate(was_rechecked=Coalesce(_WAS_RECHECKED, Value(False)))
    return may_ask_for_recheck((Reason(reason), was) for reason, was in found.values_list("reason", "was_rechecked"))
