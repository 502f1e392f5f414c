"""Messages that wait for an operator. Each sort has a page in the admin."""

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
    """Has no permissions. Who may view and resend messages may view and replay these."""

    objects: ClassVar[models.Manager["DeadLetter"]] = InStatus(Status.DEAD)

    class Meta:
        proxy = True
        default_permissions = ()
        ordering = ["-died_at"]
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")


class UncertainMessage(Message):
    """Permissions as for dead letters."""

    objects: ClassVar[models.Manager["UncertainMessage"]] = InStatus(Status.UNCERTAIN)

    class Meta:
        proxy = True
        default_permissions = ()
        ordering = ["-created_at"]
        verbose_name = _("uncertain message")
        verbose_name_plural = _("uncertain messages")
