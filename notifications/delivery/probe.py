"""One message may see whether an address that bounced softly takes mail again."""

from django.db.models import Q
from django.db.models.functions import Now

from notifications.models import Message, Suppression
from notifications.models.suppression import RESTED_FOR, cool_off
from notifications.rules.suppression import Reason


def take_probe(message: Message) -> bool:
    """Win the right to probe the message's address; True too if it has it. Who comes second, or too early, does not."""
    in_force = Suppression.objects.in_force([message.to_address]).filter(reason=Reason.SOFT_BOUNCES)
    open_to_it = in_force.alias(rested_for=RESTED_FOR).filter(Q(recheck_id=message.id) | Q(rested_for__gte=cool_off()))
    return bool(open_to_it.update(recheck_id=message.id, rechecked_at=Now()))
