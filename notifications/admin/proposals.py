"""Load messages and decide how each is sent again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import redis

from notifications import pauses, users
from notifications.admin import verdicts
from notifications.admin.verdicts import SendAgainFacts, Verb, Verdict, Wait, choose, skip_verdict
from notifications.bounce_brake import brake
from notifications.breaker.outlook import outlook
from notifications.delivery import forecast
from notifications.delivery.forecast import Forecast
from notifications.kinds import KINDS
from notifications.models import Message, Pause, Suppression
from notifications.models.copies import copies_of
from notifications.outbox.resend import purged_among
from notifications.outbox.retry_now import waiting
from notifications.rules.outcomes import Outcome
from notifications.rules.states import Status, Stream
from notifications.rules.suppression import Reason, reasons_to_lift
from notifications.support.reasons import in_words

_OPEN = {Status.QUEUED, Status.SENDING, Status.UNCERTAIN}
# These say how a message fails; the others say all.
_DETAILED = {Verdict.BROKEN, Verdict.SUPPRESSED}


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """How one message is sent again."""

    message: Message
    verb: Verb
    verdict: Verdict
    wait: Wait | None
    copies: int
    # The address of a copy; empty for that of the message.
    moves_to: str = ""
    detail: str = ""
    # Another copy that explains the verdict.
    at: Message | None = None

    @property
    def key(self) -> str:
        return ".".join(filter(None, (self.verb, self.verdict, self.wait)))

    @property
    def result(self) -> str:
        return verdicts.verdict_in_words(self.verdict, self.wait, self.detail)

    @property
    def version(self) -> str:
        # What the operator saw. A later change refuses the action.
        counted = {Verb.REPLAY: self.message.replays, Verb.SETTLE: self.message.attempts}
        return f"{self.key}.{counted.get(self.verb, self.copies)}"


@dataclass(frozen=True)
class _Known:
    copies: Mapping[UUID, Sequence[Message]]
    waiting: set[UUID]
    # By address: the reasons of its suppressions.
    suppressed: Mapping[str, set[str]]
    no_provider: bool
    # What operators have paused, each with its name.
    paused: set[tuple[str, str]]
    purged: set[UUID]


def propose(ids: Iterable[UUID]) -> list[Proposal]:
    """Return a proposal for each message, the newest first. A constant number of statements."""
    found = list(Message.objects.filter(id__in=list(ids)).select_related("user").order_by("-created_at", "-id"))
    forecasts = forecast.forecasts(found)
    addresses = {forecasts[one.id].moves_to or one.to_address for one in found if one.id in forecasts}
    known = _Known(
        copies=copies_of(found),
        waiting=waiting(one.id for one in found),
        suppressed=_suppressions(addresses),
        no_provider=_has_no_provider(),
        paused={(pause.what, pause.name) for pause in pauses.in_force()},
        purged=purged_among(found),
    )
    made = [_proposal(message, forecasts[message.id], known) for message in found if message.id in forecasts]
    return _without_doubles(made, known.copies)


def _suppressions(addresses: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for address, reason in Suppression.objects.in_force(addresses).values_list("address", "reason"):
        found.setdefault(address, set()).add(reason)
    return found


def _has_no_provider() -> bool:
    try:
        return outlook().provider is None
    except redis.RedisError:
        # Workers send without Redis too.
        return False


def _proposal(message: Message, found: Forecast, known: _Known) -> Proposal:
    copies = known.copies.get(message.id, [])
    situation = _situation(message, found, known)
    verb, verdict = choose(situation)
    skip = found.replay if message.status in _OPEN else found.resend
    return Proposal(
        message=message,
        verb=verb,
        verdict=verdict,
        wait=None if verb is Verb.NONE else _wait(message, known),
        copies=len(copies),
        moves_to=found.moves_to if verb in {Verb.RESEND, Verb.LIFT} else "",
        detail=in_words(skip.reason, message.kind) if skip and verdict in _DETAILED else "",
        at=next((copy for copy in copies if copy.id != message.id and _explains(copy, verdict)), None),
    )


def _explains(copy: Message, verdict: Verdict) -> bool:
    return (verdict is Verdict.COPY_OPEN and copy.status in _OPEN) or (
        verdict is Verdict.NEWER_COPY and copy.status == Status.DEAD
    )


def _situation(message: Message, found: Forecast, known: _Known) -> SendAgainFacts:
    others = [copy for copy in known.copies.get(message.id, []) if copy.id != message.id]
    address = found.moves_to or message.to_address
    is_confirmed = _is_confirmed(message, address)
    return SendAgainFacts(
        status=Status(message.status),
        outcome=Outcome(message.outcome),
        anonymized=message.anonymized_at is not None,
        content_deleted=message.id in known.purged,
        waits=message.id in known.waiting,
        held=message.slowed_until is not None,
        copy_open=any(copy.status in _OPEN for copy in others),
        copy_sent=any(copy.status == Status.SENT for copy in others),
        copy_dead=any(copy.status == Status.DEAD and copy.created_at > message.created_at for copy in others),
        replay=skip_verdict(found.replay, is_confirmed=is_confirmed),
        resend=skip_verdict(found.resend, is_confirmed=is_confirmed),
        moves=bool(found.moves_to),
        liftable=bool(to_lift(message, known.suppressed.get(address, ()))) and found.resend_if_lifted is None,
    )


def _is_confirmed(message: Message, address: str) -> bool:
    kind = KINDS.get(message.kind)
    return bool(kind and kind.to_unconfirmed and message.user and users.has_confirmed(message.user, address))


def to_lift(message: Message, reasons: Iterable[str]) -> set[Reason]:
    kind = KINDS.get(message.kind)
    return reasons_to_lift(map(Reason, reasons), Stream(kind.stream if kind else message.stream))


def _wait(message: Message, known: _Known) -> Wait | None:
    if known.paused & {(Pause.What.STREAM, message.stream), (Pause.What.KIND, message.kind)}:
        return Wait.PAUSE
    if known.no_provider:
        return Wait.PROVIDER
    kind = KINDS.get(message.kind)
    # The brake holds back new messages only.
    is_new = message.status not in {*_OPEN, Status.DEAD}
    return Wait.BRAKE if is_new and kind and kind.is_slowed and brake.is_on() else None


def _without_doubles(proposals: Sequence[Proposal], copies: Mapping[UUID, Sequence[Message]]) -> list[Proposal]:
    # Of the copies of one email, and of the messages of which the newest wins, one is sent.
    seen: set[object] = set()
    kept: list[Proposal] = []
    for proposal in proposals:
        keys = _doubles(proposal.message, copies)
        if proposal.verb is not Verb.NONE and keys & seen:
            kept.append(replace(proposal, verb=Verb.NONE, verdict=Verdict.IN_SELECTION, wait=None))
            continue
        seen |= keys if proposal.verb is not Verb.NONE else set()
        kept.append(proposal)
    return kept


def _doubles(message: Message, copies: Mapping[UUID, Sequence[Message]]) -> set[object]:
    original = next(iter(copies.get(message.id, [])), message)
    kind = KINDS.get(message.kind)
    is_single = kind and kind.newest_wins and message.user_id
    return {original.id} | ({(message.kind, message.user_id)} if is_single else set())
