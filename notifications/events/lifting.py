"""Remove lifted and rechecked addresses from the providers' suppression lists, outside of any transaction.

Each row is claimed before its provider is called, so that only one process calls the provider.
"""

import logging
import time
from dataclasses import dataclass

from django.db import connection

from notifications.models import Suppression
from notifications.providers.base.sending import ProviderError
from notifications.providers.registry import account_of, list_keepers
from notifications.rules.retry import ErrorClass
from notifications.rules.suppression import Reason

logger = logging.getLogger(__name__)

# The limits of one run. The next run follows within seconds.
MOST, MOST_S = 20, 20.0
# Within about a day, because the pauses grow: 30 s, 1 min, 2 min … 6 h.
MOST_TRIES = 12
# Results, which the admin shows.
REMOVED = "removed from {provider}'s list"
WAS_ON_NONE = "was on no list of {provider}"
REFUSED = "{provider} refused to remove it: {error}"
GIVEN_UP = "{provider} failed {tries} times: {error}"
# One statement: a second process finds the row locked, or its pause not over. An address that is suppressed again stays
# on the provider's list.
_CLAIM = """
UPDATE notifications_suppression SET
    lift_tries = lift_tries + 1,
    lift_after = statement_timestamp() + least(30 * 2 ^ least(lift_tries, 12), 21600) * interval '1 second'
WHERE id = ({next})
RETURNING id, provider, address, reason, lift_tries
"""
_LIFTED = """
SELECT id FROM notifications_suppression AS lifted
WHERE lifted_at > statement_timestamp() - interval '3 days' AND provider_lift = '' AND provider = ANY(%s)
  AND coalesce(lift_after, lifted_at) <= statement_timestamp()
  AND NOT EXISTS (
    SELECT FROM notifications_suppression AS again
    WHERE again.address = lifted.address AND again.reason = lifted.reason AND again.lifted_at IS NULL
  )
ORDER BY coalesce(lift_after, lifted_at) LIMIT 1 FOR UPDATE SKIP LOCKED
"""
# The provider would drop the message that rechecks the address. Later, it is too late for it.
_RECHECKED = """
SELECT id FROM notifications_suppression
WHERE lifted_at IS NULL AND probe_id IS NOT NULL AND provider_lift = '' AND provider = ANY(%s)
  AND probed_at > statement_timestamp() - interval '1 hour'
  AND coalesce(lift_after, probed_at) <= statement_timestamp()
ORDER BY probed_at LIMIT 1 FOR UPDATE SKIP LOCKED
"""
# A user waits for a recheck.
_CLAIMS = [_CLAIM.format(next=query) for query in (_RECHECKED, _LIFTED)]


@dataclass(frozen=True)
class _Claim:
    id: int
    provider: str
    address: str
    reason: str
    tries: int


def lift_at_providers(most: int = MOST) -> int:
    """Remove addresses from the providers' lists, and return how many were handled.

    Ends after MOST_S and the current call. Skips a provider that failed for the rest of the run.
    """
    asked = list_keepers()
    ends_at = time.monotonic() + MOST_S
    done = 0
    for _ in range(most):
        claim = _claim(asked) if time.monotonic() < ends_at else None
        if claim is None:
            break
        if said := _remove(claim):
            Suppression.objects.filter(pk=claim.id).update(provider_lift=said[:300])
            done += 1
        else:
            asked.discard(claim.provider)
    return done


def _claim(providers: set[str]) -> _Claim | None:
    with connection.cursor() as cursor:
        for statement in _CLAIMS:
            cursor.execute(statement, [sorted(providers)])
            if row := cursor.fetchone():
                return _Claim(*row)
    return None


def _remove(claim: _Claim) -> str:
    # The result for the operator; empty if the next run should retry.
    name, account = claim.provider, account_of(claim.provider)
    try:
        was_on_it = account is not None and account.unsuppress(claim.address, Reason(claim.reason))
    except ProviderError as error:
        if error.error_class in {ErrorClass.PERMANENT, ErrorClass.MISCONFIGURED}:
            return REFUSED.format(provider=name, error=error)
        logger.warning("%s did not remove an address from its list: %s", name, error)
        return GIVEN_UP.format(provider=name, tries=claim.tries, error=error) if claim.tries >= MOST_TRIES else ""
    return (REMOVED if was_on_it else WAS_ON_NONE).format(provider=name)
