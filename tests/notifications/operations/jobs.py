"""Periodic jobs that ran some time ago."""

from datetime import timedelta

from django.db.models.functions import Now

from notifications import housekeeping
from notifications.models import HousekeepingJob


def housekeeping_was_done(seconds_ago):
    at = Now() - timedelta(seconds=seconds_ago)
    jobs = [HousekeepingJob(name=job.name, tried_at=at, done_at=at) for job in housekeeping.registered()]
    HousekeepingJob.objects.bulk_create(jobs)
