"""The periodic jobs, one declaration each: docs/reference/periodic-jobs.md."""

from notifications import anonymization
from notifications.bounce_brake import brake
from notifications.budget import quota
from notifications.events import lifting
from notifications.housekeeping import Job
from notifications.operations import retention, rollups
from notifications.operations.alerts import run as alerts
from notifications.operations.metrics import page as metrics
from notifications.outbox import brake_queue, waiting


def read_quotas() -> None:
    # Returns no count, because a job logs its count: one line per minute would be noise.
    quota.refresh_all()


def watch_bounces() -> None:
    # Returns no count, because the brake logs its changes.
    brake.log_changes()
    brake_queue.prune()


JOBS = (
    Job(name="announce-problems", every_s=15, run=alerts.announce_problems),
    Job(name="watch-bounces", every_s=15, run=watch_bounces),
    Job(name="count-waiting", every_s=15, run=waiting.publish_counts),
    Job(name="lift-at-providers", every_s=15, run=lifting.lift_at_providers),
    Job(name="update-counters", every_s=15, run=metrics.update_counters),
    Job(name="read-quotas", every_s=60, run=read_quotas),
    Job(name="roll-up", every_s=300, run=rollups.roll_up_due),
    Job(name="anonymize", every_s=3600, run=anonymization.anonymize_ended),
    Job(name="prune", every_s=3600, run=retention.delete_old_rows),
)
