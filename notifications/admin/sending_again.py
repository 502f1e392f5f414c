"""Send messages again: retry, replay, resend or settle each, once, as its proposal says."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.admin.log import log_change
from notifications.admin.proposals import Proposal, to_lift
from notifications.admin.verdicts import Verb
from notifications.delivery.replay import replay
from notifications.events import suppress
from notifications.kinds import UnknownKindError
from notifications.models import Message, Suppression
from notifications.outbox import NotResentError, resend, settle
from notifications.outbox.resend import hold
from notifications.outbox.retry_now import retry_now
from notifications.providers.registry import list_keepers
from notifications.rules.addresses import BadAddressError
from notifications.rules.states import Status
from notifications.support.reasons import OBSTACLES, in_words

CHANGED = gettext_lazy("The status has changed meanwhile")
#: How long a message waits after a lift. Within this time, the address is removed from the provider's own list.
AFTER_LIFT_S = 60


@dataclass(frozen=True, kw_only=True)
class Order:
    """Who sends messages again, and why. `request_id` stands for one confirmation page."""

    by: AbstractBaseUser
    request_id: UUID
    why_lifted: str = ""


@dataclass
class SentAgain:
    """The messages to follow, by verb, and why others were not sent again."""

    done: dict[Verb, list[Message]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def messages(self) -> list[Message]:
        return [message for messages in self.done.values() for message in messages]


def send_all_again(proposals: Sequence[Proposal], order: Order) -> SentAgain:
    result = SentAgain()
    _replay(proposals, order, result)
    for proposal in proposals:
        if proposal.verb in _ACTS:
            _act(proposal, order, result)
    return result


def _act(proposal: Proposal, order: Order, result: SentAgain) -> None:
    try:
        message = _ACTS[proposal.verb](proposal, order)
    except (NotResentError, UnknownKindError, BadAddressError) as error:
        result.refused[_refusal(proposal, error)] += 1
        return
    if message is None:
        result.refused[str(CHANGED)] += 1
    elif message.status == Status.SUPPRESSED:
        # The address was suppressed between the proposal and the resend.
        result.refused[in_words(message.status_reason, message.kind)] += 1
    else:
        result.done.setdefault(proposal.verb, []).append(message)


def _replay(proposals: Sequence[Proposal], order: Order, result: SentAgain) -> None:
    # All together, in batches.
    ids = [proposal.message.id for proposal in proposals if proposal.verb is Verb.REPLAY]
    replayed: list[Message] = []

    def note(messages: Sequence[Message]) -> None:
        log_change(order.by, messages, _("Replayed."))
        replayed.extend(messages)

    replay(Message.objects.filter(id__in=ids), dry_run=False, notify=note)
    if replayed:
        result.done[Verb.REPLAY] = replayed
    if left := len(ids) - len(replayed):
        result.refused[str(CHANGED)] += left


# Each returns the message to follow, None if another process was faster.


def _retry(proposal: Proposal, order: Order) -> Message | None:
    with transaction.atomic():
        won = retry_now(proposal.message)
        if won:
            log_change(order.by, [proposal.message], _("Retried now."))
    return proposal.message if won else None


def _settle(proposal: Proposal, order: Order) -> Message | None:
    with transaction.atomic():
        won = settle.send_again(proposal.message, order.by.get_username())
        if won:
            log_change(order.by, [proposal.message], _("Queued to be sent again."))
    return proposal.message if won else None


def _resend(proposal: Proposal, order: Order) -> Message:
    with transaction.atomic():
        new = resend(proposal.message, order.request_id, copies=proposal.copies, to=proposal.moves_to)
        log_change(order.by, [proposal.message], _("Resent as %(id)s.") % {"id": new.id})
    return new


def _lift_and_resend(proposal: Proposal, order: Order) -> Message | None:
    with transaction.atomic():
        is_listed = _lift(proposal, order)
        if is_listed is None:
            return None
        new = _resend(proposal, order)
        if is_listed:
            hold(new, AFTER_LIFT_S)
    return new


def _lift(proposal: Proposal, order: Order) -> bool | None:
    # Returns whether a provider lists the address too; None if nothing may be lifted any more.
    in_force = Suppression.objects.in_force([proposal.moves_to or proposal.message.to_address])
    reasons = to_lift(proposal.message, in_force.values_list("reason", flat=True))
    lifting = list(in_force.filter(reason__in=reasons).order_by("pk"))
    for suppression in lifting:
        if suppress.lift(suppression, order.by, order.why_lifted):
            log_change(order.by, [suppression], _("Lifted: %(why)s") % {"why": order.why_lifted})
    return any(suppression.provider in list_keepers() for suppression in lifting) if lifting else None


_ACTS: dict[Verb, Callable[[Proposal, Order], Message | None]] = {
    Verb.RETRY: _retry,
    Verb.SETTLE: _settle,
    Verb.RESEND: _resend,
    Verb.LIFT: _lift_and_resend,
}


def _refusal(proposal: Proposal, error: Exception) -> str:
    if isinstance(error, UnknownKindError):
        return _("No app declares the kind “%(kind)s” any more.") % {"kind": proposal.message.kind}
    if isinstance(error, BadAddressError):
        return _("Its address is not valid.")
    assert isinstance(error, NotResentError)  # noqa: S101 - the last of the three
    return str(OBSTACLES[error.obstacle])
