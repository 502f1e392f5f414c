"""Let one message test whether an address that bounced accepts email again."""

from django.db.models import Q
from django.db.models.functions import Now

from notifications.models import Message, Suppression
from notifications.models.suppression import COOLING_FOR, cool_off
from notifications.rules.suppression import BOUNCES, Reason


def take_recheck(message: Message) -> bool:
    """Claim the recheck of the message's address; also true if the message holds it already."""
    in_force = Suppression.objects.in_force([message.to_address]).filter(reason__in=BOUNCES)
    cooled_off = Q(reason=Reason.SOFT_BOUNCES, cooling_for__gte=cool_off())
    due = in_force.alias(cooling_for=COOLING_FOR).filter(Q(recheck_id=message.id) | cooled_off)
    return bool(due.update(recheck_id=message.id, rechecked_at=Now()))
