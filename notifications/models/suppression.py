"""Addresses that get no email, or only some, and why."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext_lazy as _

from notifications.conf import settings
from notifications.models.event import ProviderEvent
from notifications.rules.suppression import Reason

# Time since the suppression began, or since its last recheck, on the database's clock.
COOLING_FOR = models.ExpressionWrapper(
    Now() - Coalesce("rechecked_at", "created_at"), output_field=models.DurationField()
)


# For an update: the provider is asked (again) to take the address off its list.
ON_PROVIDERS_LIST: dict[str, Any] = {"provider_lift": "", "lift_tries": 0, "lift_after": None}


def cool_off() -> timedelta:
    return timedelta(hours=settings.SUPPRESSION_COOL_OFF_H)


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def in_force(self, addresses: Iterable[str]) -> Self:
        # In any case of letters.
        return self.filter(address__in={address.lower() for address in addresses}, lifted_at__isnull=True)


class Suppression(models.Model):
    """Never deleted: a lifted suppression stays as history, with the operator and the reason."""

    # Lower-cased.
    address = models.CharField(_("address"), max_length=320)
    reason = models.CharField(_("reason"), max_length=16, choices=Reason)
    # One sentence for the operator who asks why.
    detail = models.CharField(_("details"), max_length=300, blank=True, default="")
    provider = models.CharField(_("provider"), max_length=32, blank=True, default="")
    event = models.ForeignKey(
        ProviderEvent,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("provider event"),
    )
    created_at = models.DateTimeField(_("suppressed at"), db_default=Now(), editable=False)
    # The last message that was sent to test whether the address accepts email again, and when.
    # The columns keep their earlier names: see Message.anonymized_at.
    recheck_id = models.UUIDField("recheck", null=True, blank=True, db_column="probe_id")
    rechecked_at = models.DateTimeField(_("rechecked at"), null=True, blank=True, db_column="probed_at")

    lifted_at = models.DateTimeField(_("lifted at"), null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("lifted by"),
    )
    lift_reason = models.CharField(_("reason for lifting"), max_length=300, blank=True, default="")
    # The result of removing the address from the provider's list; empty until that was tried.
    provider_lift = models.CharField(_("removal at the provider"), max_length=300, blank=True, default="")
    # How often the provider was asked, and when it may be asked again: the claim of the process that asks.
    lift_tries = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    lift_after = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[SuppressionQuerySet] = SuppressionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")
        ordering = ["-created_at"]
        permissions = [("lift_suppression", "Can lift suppressions")]
        indexes = [
            # Read every 15 s: lifted here, but perhaps still on a provider's list.
            models.Index(
                fields=["lifted_at"],
                condition=Q(lifted_at__isnull=False, provider_lift=""),
                name="suppression_lift_idx",
            ),
            # Read for each batch of events: when was this address last lifted for this reason?
            models.Index(
                fields=["address", "reason", "lifted_at"],
                condition=Q(lifted_at__isnull=False),
                name="suppression_lifted_idx",
            ),
            # Read for each batch of events: which suppressions does a delivered message end?
            models.Index(
                fields=["recheck_id"],
                condition=Q(lifted_at__isnull=True, recheck_id__isnull=False),
                name="suppression_recheck_idx",
            ),
            # Read every 15 s: rechecked here, but perhaps still on a provider's list.
            models.Index(
                fields=["rechecked_at"],
                condition=Q(lifted_at__isnull=True, recheck_id__isnull=False, provider_lift=""),
                name="suppression_to_recheck_idx",
            ),
            # Read by the admin's list, and by its search.
            models.Index(fields=["-created_at"], name="suppression_created_idx"),
            models.Index(fields=["reason", "-created_at"], name="suppression_reason_idx"),
            models.Index(fields=["address"], opclasses=["varchar_pattern_ops"], name="suppression_address_idx"),
        ]
        constraints = [
            # Its index is also read on every enqueue and before every send.
            models.UniqueConstraint(
                fields=["address", "reason"],
                condition=Q(lifted_at__isnull=True),
                name="notifications_suppression_in_force_once",
            ),
            models.CheckConstraint(condition=Q(reason__in=Reason.values), name="notifications_suppression_known"),
        ]

    def __str__(self) -> str:
        # Without the address: the admin's log keeps this text forever.
        return f"{self.get_reason_display()} {self.pk}"
