"""Press the button of the page that sends messages again."""

from datetime import timedelta
from uuid import uuid4

from django.db.models.functions import Now
from django.urls import reverse

from notifications.admin.chosen import form_value
from notifications.admin.proposals import propose
from notifications.admin.verdicts import Verb
from notifications.models import Message
from notifications.rules.states import Status
from tests.factories import MessageFactory

RESEND_MANY = reverse("admin:notifications_message_resend_many")


def shown(*messages):
    """Return what the page knows about the messages that it offers, and the keys of its groups."""
    offered = [each for each in propose(message.id for message in messages) if each.verb is not Verb.NONE]
    return {
        "messages": form_value((each.message.id, each.version) for each in offered),
        "do": sorted({each.key for each in offered}),
    }


def press(client, *messages, seen=None, **fields):
    """Press the button with every group ticked. `seen` is what the page showed, by default now."""
    known = seen or shown(*messages)
    given = {"request_id": uuid4(), "why": "asked by telephone"} | known | fields
    return client.post(RESEND_MANY, given, follow=True)


def levels(page):
    return [message.level_tag for message in page.context["messages"]]


def made(status, **fields):
    """Make a message of a kind that is always relevant."""
    traits = {Status.SENDING: {"sending": True}, Status.UNCERTAIN: {"uncertain": True}}
    sent = {"sent_at": Now()} if status == Status.SENT else {}
    return MessageFactory(**{"status": status, "kind": "password-changed"} | traits.get(status, {}) | sent | fields)


def ended(**fields):
    return made(Status.SENT, **fields)


def resend_url(message):
    return reverse("admin:notifications_message_resend", args=[message.id])


def proposed(*messages):
    return {(each.verb, each.verdict) for each in propose(message.id for message in messages)}


def waits(*messages):
    return {(each.verdict, each.wait) for each in propose(message.id for message in messages)}


def resends(message):
    return Message.objects.filter(resend_of=message).count()


def retrying_later(**fields):
    return made(Status.QUEUED, **{"due_at": Now() + timedelta(hours=1), "attempts": 1} | fields)
