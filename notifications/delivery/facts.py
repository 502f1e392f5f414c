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
from notifications.suppressions import Standing, probes, why_blocked

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
        Coalesce(_sent_within_an_hour(), 0),
    )
    known = {
        message_id: Facts(expired=expired, superseded=superseded, flooded=sent >= settings.EMAIL_ADDRESS_HOURLY)
        for message_id, expired, superseded, sent in rows
    }
    standings = Suppression.objects.standings(message.to_address for message in messages)
    return [
        (message, _facts(message, known[message.id], standings.get(message.to_address.lower(), [])))
        for message in messages
        if message.id in known
    ]


def _sent_within_an_hour() -> Subquery:
    """How many messages of a kind an address has been sent, whoever asked for them."""
    sent = Message.objects.filter(
        to_address=OuterRef("to_address"), kind=OuterRef("kind"), sent_at__gt=Now() - timedelta(hours=1)
    )
    return Subquery(sent.order_by().values("to_address").annotate(count=Count("*")).values("count"))


def _facts(message: Message, known: Facts, standings: list[Standing]) -> Facts:
    """A kind is an adopter's code: what it raises is its own message's end and nobody else's trouble."""
    try:
        return _ask_kind(message, _ask_list(message, known, standings))
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - see above
        return Facts(broken=type(error).__name__)


def _ask_list(message: Message, known: Facts, standings: list[Standing]) -> Facts:
    stream, may_probe = Stream(message.stream), kinds.get(message.kind).may_probe
    return replace(
        known,
        suppressed=why_blocked(standings, stream, may_probe=may_probe) or "",
        probes=probes(standings, stream, may_probe=may_probe),
    )


def _ask_kind(message: Message, known: Facts) -> Facts:
    kind = kinds.get(message.kind)
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
