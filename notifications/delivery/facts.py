"""Collect the facts that decide the relevance of messages, in two queries."""

from collections.abc import Sequence
from dataclasses import replace

from django.db import connection

from notifications import kinds, users
from notifications.conf import settings
from notifications.delivery.misfit import may_fit_elsewhere
from notifications.delivery.relevance import Facts
from notifications.models import Message, Suppression
from notifications.rules.states import STATUSES, Status, Stream
from notifications.rules.suppression import ActiveSuppression, Candidate, blocking_reason, is_recheck
from notifications.runtime.database import is_outage

# A newer message in one of these states will reach or may have reached the recipient.
_ALIVE = [Status.QUEUED, Status.SENDING, Status.SENT, Status.UNCERTAIN]

# For each message: is it expired; is there a newer one of its kind that the bounce brake does not hold back (a user who
# signs up again while sign-up email is slowed must not lose the better place); how many of its kind were sent to its
# address within an hour, or may be being sent now? Of messages that several workers hold at the same time, each counts
# those claimed before it. Anonymized messages share one empty address and are not counted. In SQL because it runs for
# every group: built by the ORM, it would cost the worker twice as much time.
_FACTS = """
SELECT mine.id, extract(epoch FROM statement_timestamp() - mine.created_at)::float,
    coalesce(mine.expires_at <= statement_timestamp(), false),
    EXISTS (
        SELECT FROM notifications_message AS newer
        WHERE newer.user_id = mine.user_id AND newer.kind = mine.kind AND newer.created_at > mine.created_at
          AND newer.status = ANY(%(alive)s)
          AND coalesce(newer.slowed_until, newer.created_at) <= statement_timestamp()
    ),
    (
        SELECT count(*) FROM notifications_message AS other
        WHERE mine.forgotten_at IS NULL AND other.to_address = mine.to_address AND other.kind = mine.kind
            AND other.sent_at > statement_timestamp() - interval '1 hour'
    ) + (
        SELECT count(*) FROM notifications_message AS other
        WHERE mine.forgotten_at IS NULL AND other.to_address = mine.to_address AND other.kind = mine.kind
            AND other.status IN (%(sending)s, %(uncertain)s) AND (
                other.status = %(uncertain)s AND other.created_at > statement_timestamp() - interval '1 hour'
                OR other.status = %(sending)s AND (other.lease_until, other.id) < (mine.lease_until, mine.id)
            )
    )
FROM notifications_message AS mine WHERE mine.id = ANY(%(ids)s)
"""


def gather(messages: Sequence[Message]) -> list[tuple[Message, Facts]]:
    # For claimed messages with their users loaded. Times are on the database's clock.
    if not messages:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_FACTS, {**STATUSES, "ids": [message.id for message in messages], "alive": _ALIVE})
        known = {
            message_id: Facts(
                age_s=age_s, expired=expired, superseded=superseded, flooded=others >= settings.EMAIL_ADDRESS_HOURLY
            )
            for message_id, age_s, expired, superseded, others in cursor.fetchall()
        }
    suppressions = Suppression.objects.active(message.to_address for message in messages)
    return [
        (message, _facts(message, known[message.id], suppressions.get(message.to_address.lower(), [])))
        for message in messages
        if message.id in known
    ]


def _facts(message: Message, known: Facts, suppressions: list[ActiveSuppression]) -> Facts:
    # A kind is the application's code, so its errors concern this message only. An outage of the database is raised; an
    # invalid query is the kind's error.
    if message.anonymized_at:
        return replace(known, anonymized=True)
    try:
        kind = kinds.get(message.kind)
        asked = _ask_kind(message, kind, known)
    except (Exception, SystemExit) as error:
        if is_outage(error):
            raise
        return replace(
            known,
            broken=type(error).__name__,
            may_fit_elsewhere=may_fit_elsewhere(error),
            expired=known.expired or (message.expires_at is None and known.age_s > kinds.UNKNOWN_MAX_AGE_S),
        )
    candidate = Candidate(stream=Stream(message.stream), may_recheck=kind.may_recheck, message_id=message.id)
    return replace(
        asked, suppressed=blocking_reason(suppressions, candidate) or "", is_recheck=is_recheck(suppressions, candidate)
    )


def _ask_kind(message: Message, kind: kinds.Kind, known: Facts) -> Facts:
    user = message.user
    if user is None:
        return replace(known, user_gone=kind.requires_account, superseded=False)
    return replace(
        known,
        user_inactive=not (users.is_active(user) or kind.to_inactive_users),
        address_changed=kind.requires_account and message.to_address.lower() != kind.address(user).lower(),
        superseded=kind.newest_wins and known.superseded,
        is_relevant=kind.is_relevant(user),
    )
