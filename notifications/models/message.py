"""One email to one recipient; also the outbox row that keeps every promise about it."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from notifications.rules.outcomes import Outcome
from notifications.rules.states import Status, Stream

# Due for the relay at once. It takes the oldest first, so what had its turn already goes back to its place, and not to
# the end of a backlog; its publishing did not fail, so the relay's growing pauses start anew.
REQUEUE_IN_ORDER = {"relay_after": F("created_at"), "relayed": 0}
# Why a message was cancelled that waited when its account went.
ACCOUNT_DELETED = "the account was deleted"


class Message(models.Model):
    """Times are the database's, because the clocks of the workers differ."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=64)
    stream = models.CharField(_("stream"), max_length=16, choices=Stream)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="messages",
        verbose_name=_("account"),
    )
    # Empty once the message is anonymized; nothing else is sent to nobody.
    to_address = models.CharField(_("recipient"), max_length=320)
    # What the templates need and the recipient's account cannot say. Never a token or another secret.
    context = models.JSONField(_("context"), default=dict, blank=True)
    idempotency_key = models.CharField(_("idempotency key"), max_length=500)
    resend_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="resends", verbose_name=_("resend of")
    )

    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.QUEUED)
    # Why the message is where it is, in words for an operator. Empty while all goes its usual way.
    status_reason = models.CharField(_("reason"), max_length=200, blank=True, default="")
    provider = models.CharField(_("provider"), max_length=32, blank=True, default="")
    # The recipient's side, as the provider's events tell it; `status` is ours.
    outcome = models.CharField(
        _("outcome"), max_length=16, choices=Outcome, default=Outcome.UNKNOWN, db_default=Outcome.UNKNOWN
    )
    outcome_at = models.DateTimeField(_("outcome at"), null=True, blank=True)
    # How often it was queued again in this life, knowing that a provider may have it already.
    uncertain_resends = models.PositiveSmallIntegerField(_("resends while uncertain"), default=0, db_default=0)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    # Those that do not count towards the kind's ceiling: an earlier life's, and a breaker's failed probes.
    attempts_forgiven = models.PositiveSmallIntegerField(default=0, db_default=0)
    # Those of its earlier lives.
    attempts_before = models.PositiveSmallIntegerField(default=0, db_default=0)
    replays = models.PositiveSmallIntegerField(_("replays"), default=0, db_default=0)

    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    due_at = models.DateTimeField(_("due at"), db_default=Now())
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    died_at = models.DateTimeField(_("dead since"), null=True, blank=True)
    # What it died of, the same for all that died of the same: "ses/MessageRejected", "rendering/KeyError". While it is
    # queued: why it waits for a worker of another version.
    error_fingerprint = models.CharField(_("error"), max_length=150, blank=True, default="", db_default="")

    # The relay may hand the id to the broker (again) from this moment on; pushed forward at every publish.
    relay_after = models.DateTimeField(_("published after"), db_default=Now())
    relayed = models.PositiveSmallIntegerField(_("times published"), default=0)
    # Claims in a row that ended without a hand-over: whoever takes its worker along every time is found by it.
    claims_lost = models.PositiveSmallIntegerField(_("claims lost"), default=0, db_default=0)

    lease_token = models.UUIDField(_("lease"), null=True, blank=True)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    handed_over_at = models.DateTimeField(_("handed over at"), null=True, blank=True)
    settle_at = models.DateTimeField(_("settles at"), null=True, blank=True)

    # The bounce brake (docs/explanation/bounce-brake.md) holds it back until then; after its release, when that was.
    slowed_until = models.DateTimeField(_("held by the bounce brake until"), null=True, blank=True)
    # A keyed hash of the client that caused a message which was held back: no client may take all of the queue.
    slowed_for = models.CharField(max_length=32, blank=True, default="", db_default="", editable=False)
    # Since then the recipient is erased: docs/reference/data-retention.md. The message is never sent (again).
    # The column has an earlier name: during an upgrade, processes of the release before use it too.
    anonymized_at = models.DateTimeField(_("anonymized at"), null=True, blank=True, db_column="forgotten_at")

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["-created_at"]
        permissions = [("resend_message", "Can resend messages")]
        constraints = [
            models.UniqueConstraint(fields=["idempotency_key"], name="notifications_message_key_unique"),
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
        indexes = [
            # Read by the relay every half second: what is due and nobody carries.
            models.Index(fields=["stream", "relay_after"], condition=Q(status="queued"), name="message_relay_idx"),
            # Read by the relay: claims whose worker was lost.
            models.Index(fields=["lease_until"], condition=Q(status="sending"), name="message_lease_idx"),
            # Read by the relay: uncertain messages that waited long enough for a webhook.
            models.Index(fields=["settle_at"], condition=Q(status="uncertain"), name="message_settle_idx"),
            # Read when dead letters are listed and replayed.
            models.Index(fields=["error_fingerprint", "died_at"], condition=Q(status="dead"), name="message_dead_idx"),
            # Read by the status page: what waits for a worker of another version.
            models.Index(
                fields=["error_fingerprint", "kind"],
                condition=Q(status="queued") & ~Q(error_fingerprint=""),
                name="message_misfit_idx",
            ),
            # Read before sending: is there a newer one of its kind?
            models.Index(fields=["user", "kind", "created_at"], name="message_newest_idx"),
            # Read by enqueueing and the status page: how much sign-up email was sent recently.
            models.Index(
                fields=["kind", "sent_at"], condition=Q(status="sent") & ~Q(stream="bulk"), name="message_sent_idx"
            ),
            # Read by the relay's rounds and the status page: what the bounce brake holds back.
            models.Index(fields=["slowed_until"], condition=Q(slowed_until__isnull=False), name="message_slowed_idx"),
            # Read every hour: mail of no account that is to be anonymized.
            models.Index(
                fields=["created_at"], condition=Q(user=None, anonymized_at=None), name="message_anonymize_idx"
            ),
            # Read by the admin's list, search and date filter.
            models.Index(fields=["-created_at"], name="message_created_idx"),
            # By its beginning too; and read before sending: what else was sent to the address within an hour.
            models.Index(
                fields=["to_address", "sent_at"],
                opclasses=["varchar_pattern_ops", "timestamptz_ops"],
                name="message_address_idx",
            ),
            # Read before sending: what may be sent to the address right now.
            models.Index(
                fields=["to_address"], condition=Q(status__in=["sending", "uncertain"]), name="message_open_idx"
            ),
            # Read by the admin's list of dead letters. The condition differs from that of message_dead_idx, which the
            # status page needs for its counts by cause.
            models.Index(fields=["-died_at"], condition=Q(died_at__isnull=False), name="message_died_idx"),
        ]

    # Of this object, not of the row: `enqueue` has just written it; its id was chosen by its cause.
    is_new = has_given_id = False

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def counted_attempts(self) -> int:
        # These count towards the kind's ceiling.
        return self.attempts - self.attempts_forgiven

    @property
    def made_attempts(self) -> int:
        return self.attempts - self.attempts_before

    @property
    def forgiven_attempts(self) -> int:
        return max(0, self.attempts_forgiven - self.attempts_before)
