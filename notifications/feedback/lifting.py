"""Take what was lifted here off the providers' own suppression lists."""

import logging
from datetime import timedelta

from django.db.models.functions import Now

from notifications.models import Suppression
from notifications.providers.accounts import LIST_KEEPERS
from notifications.providers.mail import ErrorClass, ProviderError

logger = logging.getLogger(__name__)


def lift_at_providers(limit: int = 20) -> int:
    """Take what was lifted here off the providers' own lists, outside of any transaction; return how many were done.

    A provider that cannot be reached is asked again next time, for a day.
    """
    recent = Suppression.objects.filter(lifted_at__gt=Now() - timedelta(days=1), provider_lift="")
    # In no order: those of a provider that is away must not stand before the others for ever.
    done = 0
    for row in recent.filter(provider__in=LIST_KEEPERS).order_by("?")[:limit]:
        said = _take_off(row)
        Suppression.objects.filter(pk=row.pk).update(provider_lift=said[:300])
        done += bool(said)
    return done


def _take_off(row: Suppression) -> str:
    """Return what came of it, in words for the operator; empty if it is to be tried again."""
    try:
        was_on_it = LIST_KEEPERS[row.provider]().unsuppress(row.address)
    except ProviderError as error:
        if error.error_class in {ErrorClass.PERMANENT, ErrorClass.MISCONFIGURED}:
            return f"{row.provider} refused to take it off its list: {error}"
        logger.warning("%s did not take an address off its list: %s", row.provider, error)
        return ""
    return f"taken off the list of {row.provider}" if was_on_it else f"it was on no list of {row.provider}"
