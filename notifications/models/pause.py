"""What operators have paused: streams, kinds and providers."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

# Part of the statements that claim and publish messages, so that no process acts on an older copy. The lists are read
# once per statement, whatever number of messages it is about. An expired message does not wait: it ends as always.
_IN_FORCE = "ended_at IS NULL AND (until IS NULL OR until > statement_timestamp())"
WAITS_FOR_RESUME = f"""(
    coalesce(expires_at > statement_timestamp(), true) AND (
        stream = ANY (ARRAY(SELECT name FROM notifications_pause WHERE what = 'stream' AND {_IN_FORCE}))
        OR kind = ANY (ARRAY(SELECT name FROM notifications_pause WHERE what = 'kind' AND {_IN_FORCE}))
    )
)"""  # noqa: S608 - made of constants only

# When the last pause ended that may have held messages of the stream `asked.stream`. They could not be sent before.
RESUMED_AT = """(
    SELECT max(coalesce(ended_at, until)) FROM notifications_pause
    WHERE (what <> 'stream' OR name = asked.stream) AND coalesce(ended_at, until) <= statement_timestamp()
)"""


class PauseSet(models.QuerySet["Pause"]):
    def in_force(self) -> "PauseSet":
        return self.filter(Q(until=None) | Q(until__gt=Now()), ended_at=None)

    def over(self) -> "PauseSet":
        # Their time is up, but no process has recorded that.
        return self.filter(ended_at=None, until__lte=Now())

    def unreleased(self) -> "PauseSet":
        return self.filter(Q(ended_at__isnull=False) | Q(until__lte=Now()), is_released=False)


class Pause(models.Model):
    """One row for each pause; it stays after its end. All times are on the database's clock."""

    class What(models.TextChoices):
        STREAM = "stream", _("Stream")
        KIND = "kind", _("Kind")
        PROVIDER = "provider", _("Provider")

    what = models.CharField(_("what"), max_length=16, choices=What)
    name = models.CharField(_("name"), max_length=64)
    reason = models.CharField(_("reason"), max_length=300)
    # Text, because it outlives the operator's account; commands have none.
    by = models.CharField(_("paused by"), max_length=150)
    since = models.DateTimeField(_("paused since"), db_default=Now())
    until = models.DateTimeField(_("until"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    # Empty if its time was up.
    ended_by = models.CharField(_("ended by"), max_length=150, blank=True, default="", db_default="")
    # The relay has made its messages due again.
    is_released = models.BooleanField(default=False, db_default=False)

    objects = PauseSet.as_manager()

    class Meta:
        verbose_name = _("pause")
        verbose_name_plural = _("pauses")
        ordering = ["since"]
        default_permissions = ()
        permissions = [("steer_email", "Can pause, cancel and reroute email")]
        constraints = [
            models.UniqueConstraint(
                fields=["what", "name"], condition=Q(ended_at=None), name="notifications_pause_one_at_a_time"
            ),
        ]
        indexes = [
            # Read by the relay: pauses whose messages are not due again yet.
            models.Index(fields=["ended_at"], condition=Q(is_released=False), name="pause_unreleased_idx"),
        ]

    def __str__(self) -> str:
        return self.name
