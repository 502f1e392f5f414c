"""The periodic jobs, one declaration each: docs/reference/periodic-jobs.md."""

from notifications import anonymization
from notifications.bounce_brake import brake
from notifications.budget import quota
from notifications.events import lifting
from notifications.housekeeping import Job
from notifications.outbox import brake_queue


def read_quotas() -> None:
    # Returns no count, because a job logs its count: one line per minute would be noise.
    quota.refresh_all()


def watch_bounces() -> None:
    # Returns no count, because the brake logs its changes.
    brake.log_changes()
    brake_queue.prune()


JOBS = (
    Job(name="watch-bounces", every_s=15, run=watch_bounces),
    Job(name="lift-at-providers", every_s=15, run=lifting.lift_at_providers),
    Job(name="read-quotas", every_s=60, run=read_quotas),
    Job(name="anonymize", every_s=3600, run=anonymization.anonymize_ended),
)
