"""One message may see whether an address that bounced softly takes mail again."""

from django.db.models.functions import Now

from notifications.models import Suppression
from notifications.suppressions import Reason


def take_probe(address: str) -> bool:
    """Win the right to probe `address` for one message. Who comes second, or too early, wins nothing."""
    in_force = Suppression.objects.in_force([address]).filter(reason=Reason.SOFT_BOUNCES)
    return bool(in_force.rested().update(probed_at=Now()))
