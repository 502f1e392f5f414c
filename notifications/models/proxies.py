"""Messages that wait for an operator, each with a page in the admin."""

from typing import Any, ClassVar, TypeVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from notifications.models.message import Message
from notifications.rules.states import Status

Some = TypeVar("Some", bound=Message)


class Only(models.Manager[Some]):
    def __init__(self, **condition: Any) -> None:
        super().__init__()
        self.condition = condition

    def get_queryset(self) -> models.QuerySet[Some]:
        return super().get_queryset().filter(**self.condition)


class DeadLetter(Message):
    """Shown and replayed with the permissions to view messages and to replay them."""

    # A constraint: messages with this time are dead. With the status too, the planner expects few rows.
    objects: ClassVar[models.Manager["DeadLetter"]] = Only(died_at__isnull=False)

    class Meta:
        proxy = True
        default_permissions = ()
        ordering = ["-died_at"]
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")


class UncertainMessage(Message):
    """Shown and settled with the permissions to view messages and to settle them."""

    objects: ClassVar[models.Manager["UncertainMessage"]] = Only(status=Status.UNCERTAIN)

    class Meta:
        proxy = True
        default_permissions = ()
        ordering = ["-created_at"]
        verbose_name = _("uncertain message")
        verbose_name_plural = _("uncertain messages")
