"""Settle an uncertain message by an operator's decision.

Each function is a compare-and-set and returns whether it won: a webhook, the settling time or another operator may be
faster.
"""

from notifications.models import Message, transitions
from notifications.rules.states import Event, Status

MARKED_SENT = "marked as sent by {who}"
SENT_AGAIN = "sent again by {who}"
DROPPED = "dropped by {who}"


def mark_sent(message: Message, operator: str) -> bool:
    # The provider's log shows that it accepted the message.
    return _settle(message, Event.ACCEPTED, MARKED_SENT.format(who=operator))


def send_again(message: Message, operator: str) -> bool:
    # At-least-once. An anonymized message is not sent again.
    if message.anonymized_at:
        return False
    return _settle(message, Event.SETTLED, SENT_AGAIN.format(who=operator))


def drop(message: Message, operator: str) -> bool:
    # If the provider still reports an acceptance, the message becomes sent.
    return _settle(message, Event.DROPPED, DROPPED.format(who=operator))


def _settle(message: Message, event: Event, reason: str) -> bool:
    # Other states allow an acceptance too, but there an operator has nothing to settle. After another attempt, the
    # operator's decision no longer applies.
    uncertain = Message.objects.filter(id=message.id, status=Status.UNCERTAIN, attempts=message.attempts)
    return bool(transitions.apply(event, uncertain, status_reason=reason[:200]))
