"""Messages and events that are old enough to be deleted."""

from datetime import timedelta
from uuid import uuid4

from django.db.models.functions import Now

from notifications.models import ProviderEvent
from notifications.rules.states import Status
from tests.factories import MessageFactory


def ago(days):
    return Now() - timedelta(days=days)


def message(status=Status.SENT, *, days=200, **fields):
    times = {"created_at": ago(days), "due_at": ago(days)}
    times |= {"sent_at": ago(days)} if status == Status.SENT else {}
    return MessageFactory(status=status, **times | {"died_at": ago(days) if status == Status.DEAD else None} | fields)


def event(of=None, *, days=200, state="applied", **fields):
    event_id = str(uuid4())
    made = ProviderEvent.objects.create(
        provider="scripted", event_id=event_id, payload={}, state=state, message=of, **fields
    )
    ProviderEvent.objects.filter(pk=made.pk).update(received_at=ago(days))
    return made


def exists(row):
    return type(row).objects.filter(pk=row.pk).exists()
