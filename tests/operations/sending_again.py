"""What the admin proposes for a message of a situation, and what an operator does about it."""

from typing import Any
from uuid import uuid4

from notifications.admin.proposals import Proposal, propose
from notifications.admin.sending_again import Order, send_all_again
from notifications.admin.verdicts import Verb, Verdict, Wait
from notifications.kinds import UnknownKindError
from notifications.models import Message
from notifications.outbox import NotResentError, resend, settle
from notifications.rules.states import Status
from tests.factories import UserFactory
from tests.operations.situations.scripted import Scripted
from tests.operations.world import World


def proposed(message: Message) -> Proposal:
    (proposal,) = propose([message.id])
    return proposal


def said_by(proposal: Proposal | Scripted) -> tuple[Verb, Verdict, Wait | None]:
    return proposal.verb, proposal.verdict, proposal.wait


def send_again(proposal: Proposal) -> Message | None:
    """Do what the proposal says, or make a copy if it advises against that; None if this is refused."""
    if proposal.verb is Verb.NONE:
        return _force(proposal)
    operator: Any = UserFactory(is_staff=True)
    (going,) = send_all_again([proposal], Order(by=operator, request_id=uuid4(), why_lifted="asked")).messages
    return going


def sent_to(world: World, message: Message) -> list[str]:
    """Return the addresses to which the providers sent the message."""
    taken = [*world.provider.taken, *world.second.taken]
    return [email.to_address for email in taken if email.message_id == message.id]


def _force(proposal: Proposal) -> Message | None:
    message = proposal.message
    if message.status == Status.UNCERTAIN:
        return message if settle.send_again(message, "ops") else None
    try:
        return resend(message, uuid4(), copies=proposal.copies)
    except (NotResentError, UnknownKindError):
        return None
