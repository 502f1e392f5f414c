"""Collect the facts that decide the relevance of messages, and their users, in one query."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model

from notifications import kinds, users
from notifications.conf import settings
from notifications.conf.guard import current_guard
from notifications.delivery.misfit import may_fit_elsewhere
from notifications.delivery.relevance import Facts
from notifications.models import Message
from notifications.models.prepared import prepared_cursor
from notifications.models.rows import rows_of
from notifications.models.suppression import cool_off
from notifications.rules import shadow
from notifications.rules.states import STATUSES, Status, Stream
from notifications.rules.suppression import ActiveSuppression, Candidate, Reason, blocking_reason, is_recheck
from notifications.runtime.database import is_outage

# A newer message in one of these states will reach or may have reached the recipient.
_ALIVE = [Status.QUEUED, Status.SENDING, Status.SENT, Status.UNCERTAIN]

# For each message: is it expired; is there a newer one of its kind that the bounce brake does not hold back (a user who
# signs up again while sign-up email is slowed must not lose the better place); how many of its kind were sent to its
# address within an hour, or may be being sent now; which suppressions of its address are in force; its user? Of
# messages that several workers hold at the same time, each counts those claimed before it: so the claim is a statement
# before this one. Anonymized messages share one empty address and are not counted. In SQL because it runs for every
# group: built by the ORM, it would cost the worker twice as much time. Two statuses are part of the text, because an
# index has the same condition. OFFSET 0: each row is found by its id, whatever the statistics say about the tables.
_FACTS = """
SELECT mine.id, extract(epoch FROM statement_timestamp() - greatest(mine.created_at, mine.send_at))::float,
    coalesce(mine.expires_at <= statement_timestamp(), false),
    EXISTS (
        SELECT FROM notifications_message AS newer
        WHERE newer.user_id = mine.user_id AND newer.kind = mine.kind AND newer.created_at > mine.created_at
          AND newer.status = ANY(%(alive)s)
          AND coalesce(newer.slowed_until, newer.created_at) <= statement_timestamp()
    ),
    (
        SELECT count(*) FROM notifications_message AS other
        WHERE mine.forgotten_at IS NULL AND other.to_address = asked.address AND other.kind = mine.kind
            AND other.sent_at > statement_timestamp() - interval '1 hour'
    ) + (
        SELECT count(*) FROM notifications_message AS other
        WHERE mine.forgotten_at IS NULL AND other.to_address = asked.address AND other.kind = mine.kind
            AND other.status IN ('{sending}', '{uncertain}') AND (
                other.status = %(uncertain)s AND other.created_at > statement_timestamp() - interval '1 hour'
                OR other.status = %(sending)s AND (other.lease_until, other.id) < (mine.lease_until, mine.id)
            )
    ),
    (
        SELECT json_agg(json_build_array(
            listed.reason, listed.probe_id,
            coalesce(listed.probed_at, listed.created_at) <= statement_timestamp() - %(cool_off)s
        ) ORDER BY listed.created_at)
        FROM notifications_suppression AS listed
        WHERE listed.address = asked.address AND listed.lifted_at IS NULL
    ),
    account.*
FROM unnest(%(ids)b::uuid[], %(addresses)b::text[]) AS asked (id, address)
CROSS JOIN LATERAL (SELECT * FROM notifications_message WHERE id = asked.id OFFSET 0) AS mine
LEFT JOIN LATERAL (
    SELECT * FROM ({users}) AS one ({user_columns}) WHERE one.u{user_key} = mine.user_id OFFSET 0
) AS account ON true
"""


def gather(messages: Sequence[Message]) -> list[tuple[Message, Facts]]:
    # Loads the messages' users too. Times are on the database's clock.
    if not messages:
        return []
    found = _found(messages)
    return [(message, _facts(message, *found[message.id])) for message in messages if message.id in found]


def _found(messages: Sequence[Message]) -> dict[UUID, tuple[Facts, list[ActiveSuppression]]]:
    rows = rows_of(get_user_model())
    # Columns of inherited tables may have the same name.
    columns = ", ".join(f"u{place}" for place in range(rows.width))
    statement = _FACTS.format(users=rows.select, user_columns=columns, user_key=rows.key, **STATUSES)
    asked: dict[str, Any] = {
        **STATUSES,
        "alive": _ALIVE,
        "cool_off": cool_off(),
        "ids": [message.id for message in messages],
        "addresses": [message.to_address.lower() for message in messages],
    }
    by_id = {message.id: message for message in messages}
    limit, guard = settings.EMAIL_ADDRESS_HOURLY, current_guard()
    found = {}
    with prepared_cursor() as cursor:
        cursor.execute(statement, asked)
        for message_id, age_s, expired, superseded, others, listed, *user in cursor.fetchall():
            flooded = others >= limit
            withheld = guard.withholds(by_id[message_id].to_address)
            facts = Facts(
                age_s=age_s,
                expired=expired,
                superseded=superseded,
                flooded=flooded,
                withheld=withheld,
                is_copy=by_id[message_id].kind == shadow.KIND,
            )
            found[message_id] = facts, [_suppression(*each) for each in listed or ()]
            by_id[message_id].user = rows.instance(user) if user[rows.key] is not None else None
    return found


def _suppression(reason: str, recheck_id: str | None, cooled_off: bool) -> ActiveSuppression:
    return ActiveSuppression(
        reason=Reason(reason), cooled_off=cooled_off, recheck_id=UUID(recheck_id) if recheck_id else None
    )


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
    if not suppressions:
        return asked
    candidate = Candidate(stream=Stream(message.stream), may_recheck=kind.may_recheck, message_id=message.id)
    return replace(
        asked, suppressed=blocking_reason(suppressions, candidate) or "", is_recheck=is_recheck(suppressions, candidate)
    )


def _ask_kind(message: Message, kind: kinds.Kind, known: Facts) -> Facts:
    flooded = known.flooded and kind.has_hourly_limit
    user = message.user
    if user is None:
        return replace(known, flooded=flooded, user_gone=kind.requires_account, superseded=False)
    return replace(
        known,
        flooded=flooded,
        user_inactive=not (users.is_active(user) or kind.to_inactive_users),
        address_changed=kind.requires_account and message.to_address.lower() != kind.address(user).lower(),
        superseded=kind.newest_wins and known.superseded,
        is_relevant=kind.is_relevant(user),
    )
