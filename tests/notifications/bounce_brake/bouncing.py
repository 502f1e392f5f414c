"""Make sign-ups, bounces and the passing of time."""

from datetime import timedelta
from uuid import uuid4

from django.db.models import F
from django.db.models.functions import Now

from notifications.bounce_brake import brake
from notifications.models import Message, ProviderEvent
from notifications.rules.states import Status
from tests.factories import MessageFactory

BOUNCES = 10


def bounce(message, kind="hard"):
    return {"id": str(uuid4()), "kind": "bounced", "bounce": kind, "message": str(message.id)}


def bounced(count=BOUNCES, bounce="hard", **changes):
    """Write rows of emails that were just sent and bounced."""
    for _ in range(count):
        message = MessageFactory(**{"status": Status.SENT, "sent_at": Now()} | changes)
        ProviderEvent.objects.create(
            provider="ses",
            event_id=uuid4(),
            payload={},
            state="applied",
            message=message,
            kind="bounced",
            bounce=bounce,
        )
    brake.reset()


def waiting():
    return list(Message.objects.filter(status=Status.QUEUED, slowed_until__gt=Now()).order_by("created_at"))


def let_minutes_pass(minutes):
    """Let time pass for released messages, not for waiting ones."""
    gone = Message.objects.filter(slowed_until__lte=Now())
    gone.update(slowed_until=F("slowed_until") - timedelta(minutes=minutes))
