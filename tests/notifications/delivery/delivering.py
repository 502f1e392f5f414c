"""Deliver messages as the Celery task does."""

from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import deliver
from notifications.rules.states import Stream

CARRIER = Carrier(task_id="task-1", worker="test@here")


def run(*messages, stream=Stream.DEFAULT, **options):
    return deliver([message.id for message in messages], stream, CARRIER, **options)
