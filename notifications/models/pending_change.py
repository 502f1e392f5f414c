"""The changes of messages that receivers of `message_changed` have not handled yet."""

from django.db import models
from django.db.models.functions import Now

from notifications.models.message import Message
from notifications.models.plain_array import PlainArrayField
from notifications.rules.changes import MessageChange
from notifications.signals import message_changed

# A row is written by the statement that changes its message, so a change without a row, or a row without its change,
# cannot exist. Only while the signal has receivers: other projects have no rows, and their statements are shorter.

_NO_NAMES = models.Value([], PlainArrayField(models.TextField()))
# `changed` has the ids of the messages.
_NOTE = "INSERT INTO notifications_change (message_id, change) SELECT id, '{change}' FROM changed"


class PendingChange(models.Model):
    """Deleted when all receivers have returned.

    It names the message by its id, so it has no personal data.
    """

    message_id = models.UUIDField()
    change = models.CharField(max_length=16, choices=[(change.value, change.value) for change in MessageChange])
    at = models.DateTimeField(db_default=Now())
    # When the receivers are called (again).
    due_at = models.DateTimeField(db_default=Now())
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    # The names of the receivers that have returned.
    handled_by = PlainArrayField(models.TextField(), default=list, db_default=_NO_NAMES)
    # The receiver that failed last, and the name of its error.
    error = models.CharField(max_length=300, default="", db_default="")

    class Meta:
        db_table = "notifications_change"
        default_permissions = ()
        ordering = ["id"]
        indexes = [
            # Read by the relay: changes that are due, in order.
            models.Index(fields=["due_at", "id"], name="change_due_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.message_id} {self.change}"


def has_receivers() -> bool:
    return message_changed.has_listeners(Message)


def noting(statement: str, change: MessageChange | None, *, before: str = "", where: str = "") -> str:
    """Return `statement` so that it also notes `change` of the messages whose ids it returns.

    Unchanged without receivers. `before` are common table expressions of the statement, which change rows themselves;
    `where` limits the messages to some of the returned rows.
    """
    if change is None or not has_receivers():
        return f"WITH {before} {statement}" if before else statement
    expressions = [*([before] if before else []), f"changed AS ({statement})"]
    note = " ".join([_NOTE.format(change=change.value), where]).rstrip()
    return f"WITH {', '.join([*expressions, f'noted AS ({note})'])} SELECT * FROM changed"  # noqa: S608 - our own SQL
