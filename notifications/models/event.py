"""Events that providers reported, as received and as Mailroom interpreted them."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from notifications.models.message import Message
from notifications.rules.outcomes import BounceKind, EventType

# Few messages have one.
RARE_EVENTS = [
    *(EventType.DEFERRED, EventType.BOUNCED, EventType.COMPLAINED, EventType.REJECTED),
    *(EventType.NOT_SPAM, EventType.UNSUBSCRIBED),
]


class EventBatch(models.Model):
    """The events of one large request: a list of pairs of id and payload.

    The event reader splits them into rows before it interprets them.
    """

    provider = models.CharField(max_length=32)
    events = models.JSONField()
    received_at = models.DateTimeField(db_default=Now(), editable=False, db_index=True)

    def __str__(self) -> str:
        return f"{self.provider}: {len(self.events)} events"


class ProviderEvent(models.Model):
    """Stored before the webhook answers the provider, interpreted afterwards.

    The payload is the provider's, without what docs/how-to/set-up-webhooks.md lists: it holds no secret.
    """

    class State(models.TextChoices):
        STORED = "stored", _("Stored")  # not interpreted yet
        # Its message is unknown: our transaction may not have committed yet.
        PARKED = "parked", _("Parked")
        APPLIED = "applied", _("Applied")
        FOREIGN = "foreign", _("Foreign")  # not ours: another application uses the same account
        UNREADABLE = "unreadable", _("Unreadable")

    provider = models.CharField(_("provider"), max_length=32)
    # The provider's id of the event. Providers repeat an event up to dozens of times; it is stored once.
    event_id = models.CharField(_("event id"), max_length=200)
    payload = models.JSONField(_("payload"))
    state = models.CharField(_("processing state"), max_length=16, choices=State, default=State.STORED)
    # When to read the event (again), while it is stored or parked.
    read_after = models.DateTimeField(_("processed after"), db_default=Now())
    received_at = models.DateTimeField(_("received at"), db_default=Now(), editable=False)

    message = models.ForeignKey(
        Message,
        null=True,
        blank=True,
        db_index=False,
        on_delete=models.CASCADE,
        related_name="events",
        verbose_name=_("message"),
    )
    attempt = models.PositiveSmallIntegerField(_("attempt"), null=True, blank=True)
    kind = models.CharField(_("event"), max_length=16, choices=EventType, blank=True, default="")
    bounce = models.CharField(_("bounce type"), max_length=16, choices=BounceKind, blank=True, default="")
    recipient = models.CharField(_("recipient"), max_length=320, blank=True, default="")
    provider_message_id = models.CharField(_("provider's message id"), max_length=200, blank=True, default="")
    detail = models.CharField(_("details"), max_length=300, blank=True, default="")
    occurred_at = models.DateTimeField(_("occurred at"), null=True, blank=True)

    class Meta:
        verbose_name = _("provider event")
        verbose_name_plural = _("provider events")
        ordering = ["-received_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="notifications_event_once"),
        ]
        indexes = [
            # Read by the pages of messages, and when these are deleted or anonymized. Without the condition, searches
            # for events of other applications would read it too, instead of the indexes below.
            models.Index(fields=["message"], condition=Q(message__isnull=False), name="event_message_idx"),
            # Read by the event reader: what to interpret next.
            models.Index(fields=["read_after"], condition=Q(state__in=["stored", "parked"]), name="event_to_read_idx"),
            # Read when a bounce is counted: the soft bounces of an address.
            models.Index(
                fields=["recipient", "-received_at"], condition=Q(bounce=BounceKind.SOFT), name="event_soft_idx"
            ),
            # Read when sign-up email is enqueued: how much of it bounced recently.
            models.Index(fields=["received_at"], condition=Q(bounce=BounceKind.HARD), name="event_hard_idx"),
            # Read by the admin's list.
            models.Index(fields=["-received_at", "-id"], name="event_received_idx"),
            # Read by the admin's searches for an outcome that few messages have.
            models.Index(fields=["kind", "-received_at"], condition=Q(kind__in=RARE_EVENTS), name="event_kind_idx"),
            # Read by the admin's search, for events without a message; the others are found by their message.
            models.Index(
                fields=["recipient"],
                opclasses=["varchar_pattern_ops"],
                condition=Q(message=None) & ~Q(recipient=""),
                name="event_foreign_to_idx",
            ),
            models.Index(
                fields=["provider_message_id"],
                condition=Q(message=None) & ~Q(provider_message_id=""),
                name="event_foreign_id_idx",
            ),
        ]

    # Annotated by the event reader: the event has waited for its message long enough.
    is_given_up = False

    def __str__(self) -> str:
        return f"{self.provider}: {self.get_kind_display() or self.get_state_display()}"
