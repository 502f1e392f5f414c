"""Messages that wait for an operator, each with a page in the admin."""

from typing import ClassVar, TypeVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from notifications.models.message import Message
from notifications.rules.states import Status

Some = TypeVar("Some", bound=Message)


class InStatus(models.Manager[Some]):
    def __init__(self, status: Status) -> None:
        super().__init__()
        self.status = status

    def get_queryset(self) -> models.QuerySet[Some]:
        return super().get_queryset().filter(status=self.status)


class DeadLetter(Message):
    """Shown and replayed with the permissions to view and resend messages."""

    objects: ClassVar[models.Manager["DeadLetter"]] = InStatus(Status.DEAD)

    class Meta:
        proxy = True
        default_permissions = ()
        ordering = ["-died_at"]
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")


class UncertainMessage(Message):
    """Shown and settled with the permissions to view and resend messages."""

    objects: ClassVar[models.Manager["UncertainMessage"]] = InStatus(Status.UNCERTAIN)

    class Meta:
        proxy = True
        default_permissions = ()
        ordering = ["-created_at"]
        verbose_name = _("uncertain message")
        verbose_name_plural = _("uncertain messages")
