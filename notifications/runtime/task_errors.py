"""Errors with which a task reports to Celery what happened to its messages. The rows are written before.

Flower and the results show their names and texts, which contain no personal data.
"""

#: The result of a task whose messages others had sent, or have.
NOTHING_TO_DO = "nothing to do"


class DeliveryTaskError(Exception):
    """Base class. Celery neither logs a traceback nor repeats the task."""


class DeadError(DeliveryTaskError):
    """Messages became dead letters; the text names the causes."""


class UncertainError(DeliveryTaskError):
    """A provider may have accepted messages, but its response was lost."""


class QueuedError(DeliveryTaskError):
    """The task's only message was not sent, and is queued again."""


class ClaimedError(DeliveryTaskError):
    """Another worker is sending the task's only message."""
