"""Collect, with two queries for a whole group, what `wanted` needs to know."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.db import Error as DatabaseError
from django.db.models import Case, Count, Exists, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Now

from notifications import kinds
from notifications.delivery.wanted import Facts
from notifications.models import Message, Suppression
from notifications.states import Status, Stream
from notifications.suppressions import Candidate, Standing, probes, why_blocked

# A newer message in one of these states reaches, has reached or may have reached the person.
_ALIVE = [Status.QUEUED, Status.SENDING, Status.SENT, Status.UNCERTAIN]


def gather(messages: Sequence[Message]) -> list[tuple[Message, Facts]]:
    """Return claimed messages (their users loaded), each with its facts, judged by the database's clock."""
    if not messages:
        return []
    newer = Message.objects.filter(
        user=OuterRef("user"), kind=OuterRef("kind"), created_at__gt=OuterRef("created_at"), status__in=_ALIVE
    )
    rows = Message.objects.filter(id__in=[message.id for message in messages]).values_list(
        "id",
        Case(When(Q(expires_at__lte=Now()), then=Value(True)), default=Value(False)),
        Exists(newer),
        Coalesce(_others_within_an_hour(), 0),
    )
    known = {
        message_id: Facts(expired=expired, superseded=superseded, flooded=others >= settings.EMAIL_ADDRESS_HOURLY)
        for message_id, expired, superseded, others in rows
    }
    standings = Suppression.objects.standings(message.to_address for message in messages)
    return [
        (message, _facts(message, known[message.id], standings.get(message.to_address.lower(), [])))
        for message in messages
        if message.id in known
    ]


def _others_within_an_hour() -> Subquery:
    """How many messages of a kind an address has been sent, whoever asked for them, or may be sent right now.

    Of messages that several workers hold at the same moment each counts those claimed before it.
    """
    held_before = Q(status=Status.SENDING) & (
        Q(lease_until__lt=OuterRef("lease_until")) | Q(lease_until=OuterRef("lease_until"), id__lt=OuterRef("id"))
    )
    an_hour_ago = Now() - timedelta(hours=1)
    gone = Q(sent_at__gt=an_hour_ago) | Q(status=Status.UNCERTAIN, created_at__gt=an_hour_ago)
    others = Message.objects.filter(held_before | gone, to_address=OuterRef("to_address"), kind=OuterRef("kind"))
    return Subquery(others.order_by().values("to_address").annotate(count=Count("*")).values("count"))


def _facts(message: Message, known: Facts, standings: list[Standing]) -> Facts:
    """A kind is an adopter's code: what it raises is its own message's end and nobody else's trouble."""
    try:
        kind = kinds.get(message.kind)
        asked = _ask_kind(message, kind, known)
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - see above
        return Facts(broken=type(error).__name__)
    candidate = Candidate(stream=Stream(message.stream), may_probe=kind.may_probe, message_id=message.id)
    return replace(asked, suppressed=why_blocked(standings, candidate) or "", probes=probes(standings, candidate))


def _ask_kind(message: Message, kind: kinds.Kind, known: Facts) -> Facts:
    user = message.user
    if user is None:
        return replace(known, user_gone=kind.for_owner, superseded=False)
    return replace(
        known,
        user_inactive=not user.is_active,
        address_changed=kind.for_owner and message.to_address.lower() != user.email.lower(),
        superseded=kind.newest_wins and known.superseded,
        wanted=kind.wanted(user),
    )
