"""Which periodic jobs are due, by their rows and the database's clock."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models.functions import Now

from notifications.models import HousekeepingJob
from notifications.models import housekeeping as table

pytestmark = pytest.mark.django_db

EVERY_S, LEASE_S = 3600.0, 30.0


def at(seconds):
    return Now() + timedelta(seconds=seconds)


CASES = {
    "done just now": ({"tried_at": at(-5)}, False),
    "its interval is over": ({"tried_at": at(-EVERY_S - 1)}, True),
    "started by a clock that was ahead": ({"tried_at": at(7200)}, True),
    "failed just now": ({"tried_at": at(-5), "failures": 1}, False),
    "failed, and its pause is over": ({"tried_at": at(-11), "failures": 1}, True),
    "failed often": ({"tried_at": at(-11), "failures": 3}, False),
    "failed for weeks, and its interval is over": ({"tried_at": at(-EVERY_S - 1), "failures": 90_000}, True),
    "held": ({"tried_at": at(-EVERY_S - 1), "holder": uuid4(), "held_until": at(20)}, False),
    "its process was lost": ({"tried_at": at(-31), "holder": uuid4(), "held_until": at(-1)}, True),
    "its process was lost again and again": (
        {"tried_at": at(-31), "failures": 9, "holder": uuid4(), "held_until": at(-1)},
        False,
    ),
    "held by a clock that was ahead": ({"tried_at": at(7200), "holder": uuid4(), "held_until": at(7230)}, True),
}


@pytest.mark.parametrize(("row", "is_due"), CASES.values(), ids=CASES)
def test_job_is_due(row, is_due):
    HousekeepingJob.objects.create(name="sweep", **row)
    assert table.due_jobs({"sweep": EVERY_S}, lease_s=LEASE_S) == ["sweep"] * is_due
    assert table.claim("sweep", EVERY_S, uuid4(), lease_s=LEASE_S) is is_due


def test_job_that_never_ran_is_due():
    assert table.due_jobs({"sweep": EVERY_S, "dust": EVERY_S}, lease_s=LEASE_S) == ["sweep", "dust"]
    assert table.claim("sweep", EVERY_S, uuid4(), lease_s=LEASE_S)
    assert table.due_jobs({"sweep": EVERY_S, "dust": EVERY_S}, lease_s=LEASE_S) == ["dust"]


def test_only_the_process_with_the_claim_finishes_a_job():
    mine, other = uuid4(), uuid4()
    assert [table.claim("sweep", EVERY_S, each, lease_s=LEASE_S) for each in (mine, other)] == [True, False]
    table.finish("sweep", other)
    assert HousekeepingJob.objects.get().done_at is None
    table.finish("sweep", mine)
    assert HousekeepingJob.objects.get().done_at is not None


def test_failures_are_counted_until_success():
    mine = uuid4()
    for failures, error in ((1, "ReadTimeout"), (2, "lost"), (0, "")):
        HousekeepingJob.objects.update(tried_at=None)
        assert table.claim("sweep", EVERY_S, mine, lease_s=LEASE_S)
        table.finish("sweep", mine, error)
        row = HousekeepingJob.objects.get()
        assert (row.failures, row.error, row.holder) == (failures, error, None)


def test_lost_process_counts_as_a_failure():
    HousekeepingJob.objects.create(name="sweep", tried_at=at(-31), holder=uuid4(), held_until=at(-1))
    assert table.claim("sweep", EVERY_S, uuid4(), lease_s=LEASE_S)
    assert HousekeepingJob.objects.get().failures == 1
