"""One email to one recipient; also the outbox row, on which all guarantees rest."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from notifications.models.progress import first_progress
from notifications.rules.content import Content
from notifications.rules.ids import time_ordered_id
from notifications.rules.outcomes import Outcome
from notifications.rules.progress import Progress
from notifications.rules.states import Status, Stream

# Due for the relay immediately. The relay takes the oldest first, so the message returns to its old place, not to the
# end of a backlog. Publishing did not fail, so the relay's growing pauses are reset.
REQUEUE_IN_ORDER = {"relay_after": F("created_at"), "relayed": 0}
# The reason of a message that was cancelled with its account.
ACCOUNT_DELETED = "the account was deleted"


class Message(models.Model):
    """All times are on the database's clock, because the workers' clocks differ."""

    id = models.UUIDField("ID", primary_key=True, default=time_ordered_id, editable=False)
    kind = models.CharField(_("kind"), max_length=64)
    stream = models.CharField(_("stream"), max_length=16, choices=Stream)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="messages",
        # message_newest_idx begins with it.
        db_index=False,
        verbose_name=_("account"),
    )
    # Empty once the message is anonymized.
    to_address = models.CharField(_("recipient"), max_length=320)
    # What the templates need beyond the recipient's account. Never a token or another secret.
    context = models.JSONField(_("context"), default=dict, blank=True)
    idempotency_key = models.CharField(_("idempotency key"), max_length=500)
    # It has a row of MessageContent, which only then is read.
    has_content = models.BooleanField(_("has stored content"), default=False, db_default=False)
    resend_of = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="resends",
        # message_resend_idx has the few rows that have one.
        db_index=False,
        verbose_name=_("resend of"),
    )

    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.QUEUED)
    # Why the message has this status, for operators. Empty in the normal course.
    status_reason = models.CharField(_("reason"), max_length=200, blank=True, default="")
    provider = models.CharField(_("provider"), max_length=32, blank=True, default="")
    # The recipient's side, from the provider's events; `status` is ours.
    outcome = models.CharField(
        _("outcome"), max_length=16, choices=Outcome, default=Outcome.UNKNOWN, db_default=Outcome.UNKNOWN
    )
    outcome_at = models.DateTimeField(_("outcome at"), null=True, blank=True)
    # How often it was resent since the last replay although a provider may have accepted it.
    uncertain_resends = models.PositiveSmallIntegerField(_("resends while uncertain"), default=0, db_default=0)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    # Attempts that do not count towards the kind's limit: those before a replay, and a breaker's failed probes.
    attempts_forgiven = models.PositiveSmallIntegerField(default=0, db_default=0)
    # Attempts before the last replay.
    attempts_before = models.PositiveSmallIntegerField(default=0, db_default=0)
    replays = models.PositiveSmallIntegerField(_("replays"), default=0, db_default=0)

    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    # When its sender wants it to be sent. `due_at` moves with every retry.
    send_at = models.DateTimeField(_("scheduled for"), null=True, blank=True)
    due_at = models.DateTimeField(_("due at"), db_default=Now())
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    died_at = models.DateTimeField(_("dead since"), null=True, blank=True)
    # The cause of death, the same for all messages with one cause: "ses/MessageRejected", "rendering/KeyError". While
    # queued: why it waits for a worker of another version.
    error_fingerprint = models.CharField(_("error"), max_length=150, blank=True, default="", db_default="")

    # When the relay may publish the id (again). Every publish postpones it.
    relay_after = models.DateTimeField(_("published after"), db_default=Now())
    relayed = models.PositiveSmallIntegerField(_("times published"), default=0)
    # Claims in a row that ended without a hand-over. Finds messages that crash their workers.
    claims_lost = models.PositiveSmallIntegerField(_("claims lost"), default=0, db_default=0)

    lease_token = models.UUIDField(_("lease"), null=True, blank=True)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    handed_over_at = models.DateTimeField(_("handed over at"), null=True, blank=True)
    settle_at = models.DateTimeField(_("settles at"), null=True, blank=True)

    # The bounce brake (docs/explanation/bounce-brake.md) holds it back until then; after its release, when that was.
    slowed_until = models.DateTimeField(_("held by the bounce brake until"), null=True, blank=True)
    # A keyed hash of the client that caused a held message, so that no client fills the whole queue.
    slowed_for = models.CharField(max_length=32, blank=True, default="", db_default="", editable=False)
    # When the recipient was erased: docs/reference/data-retention.md. The message is never sent (again).
    # The column keeps its earlier name: during an upgrade, processes of the release before use it too.
    anonymized_at = models.DateTimeField(_("anonymized at"), null=True, blank=True, db_column="forgotten_at")

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["-created_at"]
        permissions = [
            ("resend_message", "Can resend messages"),
            ("replay_message", "Can replay dead letters"),
            ("settle_message", "Can settle uncertain messages"),
            ("cancel_message", "Can cancel messages"),
        ]
        constraints = [
            # Also read by the admin's search, for the beginning of a key.
            models.UniqueConstraint(
                fields=["idempotency_key"],
                opclasses=["varchar_pattern_ops"],
                name="notifications_message_key_unique",
            ),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="notifications_message_status_known"),
            models.CheckConstraint(condition=Q(stream__in=Stream.values), name="notifications_message_stream_known"),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="notifications_message_outcome_known"),
            models.CheckConstraint(
                condition=Q(
                    status=Status.SENDING, lease_token__isnull=False, lease_until__isnull=False, settle_at__isnull=True
                )
                | Q(
                    ~Q(status=Status.SENDING),
                    lease_token__isnull=True,
                    lease_until__isnull=True,
                    handed_over_at__isnull=True,
                ),
                name="notifications_message_lease_iff_sending",
            ),
            models.CheckConstraint(
                condition=Q(status=Status.SENT, sent_at__isnull=False)
                | Q(~Q(status=Status.SENT), sent_at__isnull=True),
                name="notifications_message_sent_at_iff_sent",
            ),
            models.CheckConstraint(
                condition=Q(status=Status.DEAD, died_at__isnull=False)
                | Q(~Q(status=Status.DEAD), died_at__isnull=True),
                name="notifications_message_died_at_iff_dead",
            ),
            models.CheckConstraint(
                condition=Q(attempts_forgiven__lte=F("attempts")), name="notifications_message_forgiven_were_made"
            ),
            models.CheckConstraint(
                condition=Q(anonymized_at__isnull=False, to_address="") | Q(Q(anonymized_at=None), ~Q(to_address="")),
                name="notifications_message_address_until_anonymized",
            ),
        ]
        # Each claim and each acceptance writes an entry into every index without a condition, so add no more
        # of those: docs/decisions/0076-few-indexes-and-room-in-each-page.md.
        indexes = [
            # Read by the relay every half second: what is due, but not in the broker.
            models.Index(fields=["stream", "relay_after"], condition=Q(status=Status.QUEUED), name="message_relay_idx"),
            # Read by the relay: claims whose worker was lost.
            models.Index(fields=["lease_until"], condition=Q(status=Status.SENDING), name="message_lease_idx"),
            # Read by the relay: uncertain messages that waited long enough for a webhook.
            models.Index(fields=["settle_at"], condition=Q(status=Status.UNCERTAIN), name="message_settle_idx"),
            # Read when dead letters are listed and replayed.
            models.Index(
                fields=["error_fingerprint", "died_at"], condition=Q(status=Status.DEAD), name="message_dead_idx"
            ),
            # Read by the status page: what waits for a worker of another version.
            models.Index(
                fields=["error_fingerprint", "kind"],
                condition=Q(status=Status.QUEUED) & ~Q(error_fingerprint=""),
                name="message_misfit_idx",
            ),
            # Read before sending: is there a newer message of its kind? And for all messages of a user.
            models.Index(fields=["user", "kind", "created_at"], name="message_newest_idx"),
            # Read by the resend forms, and when messages are deleted: the copies of a message.
            models.Index(fields=["resend_of"], condition=Q(resend_of__isnull=False), name="message_resend_idx"),
            # Read by enqueueing and the status page: how much sign-up email was sent recently.
            models.Index(
                fields=["kind", "sent_at"],
                condition=Q(status=Status.SENT) & ~Q(stream=Stream.BULK),
                name="message_sent_idx",
            ),
            # Read by the relay's rounds and the status page: what the bounce brake holds back.
            models.Index(fields=["slowed_until"], condition=Q(slowed_until__isnull=False), name="message_slowed_idx"),
            # Read every hour: email without an account, to be anonymized.
            models.Index(
                fields=["created_at"], condition=Q(user=None, anonymized_at=None), name="message_anonymize_idx"
            ),
            # Read by the admin's list, search and date filter.
            models.Index(fields=["-created_at"], name="message_created_idx"),
            # Read by the admin's search for a kind. A message enters it once, at its end.
            models.Index(
                fields=["kind", "-created_at"],
                condition=~Q(status__in=[Status.QUEUED, Status.SENDING]),
                name="message_kind_idx",
            ),
            # Read by the admin's search for a status that few messages have.
            models.Index(
                fields=["status", "-created_at"],
                condition=Q(status__in=[Status.SUPPRESSED, Status.EXPIRED, Status.CANCELLED]),
                name="message_ended_idx",
            ),
            # Read by the admin's search; and before sending: what else was sent to the address within an hour.
            models.Index(
                fields=["to_address", "sent_at"],
                opclasses=["varchar_pattern_ops", "timestamptz_ops"],
                name="message_address_idx",
            ),
            # Read before sending: what else may be reaching the address now.
            models.Index(
                fields=["to_address"],
                condition=Q(status__in=[Status.SENDING, Status.UNCERTAIN]),
                name="message_open_idx",
            ),
            # Read by the admin's list of dead letters. The condition differs from that of message_dead_idx, which the
            # status page needs for its counts by cause.
            models.Index(fields=["-died_at"], condition=Q(died_at__isnull=False), name="message_died_idx"),
        ]

    # Not columns. `enqueue` has just written the row; what a worker has rendered (delivery/fingerprint.py) and what it
    # has read (delivery/content.py).
    is_new = False
    fingerprint = ""
    content: Content | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    def progress(self) -> Progress:
        """Return how far it has come by now, for the user who waits for it."""
        return first_progress(Message.objects.filter(pk=self.pk))

    @property
    def counted_attempts(self) -> int:
        # These count towards the kind's limit.
        return self.attempts - self.attempts_forgiven

    @property
    def made_attempts(self) -> int:
        return self.attempts - self.attempts_before

    @property
    def forgiven_attempts(self) -> int:
        return max(0, self.attempts_forgiven - self.attempts_before)
