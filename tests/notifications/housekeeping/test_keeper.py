"""Periodic jobs: each runs in a thread, and in one process at a time."""

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.db.models.functions import Now

from notifications import housekeeping, jobs
from notifications.housekeeping import Job, keeper
from notifications.housekeeping.keeper import Keeper
from notifications.models import HousekeepingJob
from tests.live.running import eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def registered(monkeypatch):
    """Only the test's jobs."""
    monkeypatch.setattr(housekeeping, "_jobs", {})
    return housekeeping.register_job


def job(name, run, every_s=3600.0):
    return Job(name=name, every_s=every_s, run=run)


def rows():
    return {row.name: row for row in HousekeepingJob.objects.all()}


def finished(of):
    """Let a keeper record ended jobs until none is running."""

    def nothing_runs():
        of.turn()
        return not of._running

    return eventually(nothing_runs)


def test_every_declared_job_runs_and_is_recorded(valkey):
    ours = Keeper()
    ours.turn()
    finished(ours)
    assert {name for name, row in rows().items() if row.done_at} == {each.name for each in housekeeping.registered()}


def test_finished_job_is_not_due_for_the_next_process(registered):
    calls = []
    registered(job("sweep", lambda: calls.append(1)))
    for _ in range(3):
        ours = Keeper()
        ours.turn()
        finished(ours)
    assert calls == [1]


def test_failure_is_recorded_without_its_text(registered, caplog):
    def fails():
        raise ValueError("with the address ada@example.com")

    registered(job("sweep", fails))
    ours = Keeper()
    ours.turn()
    finished(ours)
    row = rows()["sweep"]
    assert (row.done_at, row.failures, row.error) == (None, 1, "ValueError")


def test_stuck_job_is_reported_and_delays_no_other(registered, monkeypatch):
    may_end, done = threading.Event(), threading.Event()
    registered(job("stuck", lambda: may_end.wait(60) and None))
    registered(job("sweep", done.set))
    ours, other = Keeper(), Keeper()
    try:
        ours.turn()
        assert done.wait(30)
        eventually(lambda: ours.turn() or list(ours._running) == ["stuck"])
        other.turn()
        assert not other._running
        assert ours.trouble() == ""
        monkeypatch.setattr(keeper, "STUCK_S", -1.0)
        assert "stuck" in ours.trouble()
    finally:
        may_end.set()
    finished(ours)
    assert rows()["stuck"].done_at is not None


def test_job_of_a_lost_process_is_taken_over_when_its_lease_ends(registered):
    may_end, calls = threading.Event(), []
    registered(job("sweep", lambda: calls.append(1) or may_end.wait(60)))
    lost, ours = Keeper(), Keeper()
    try:
        lost.turn()
        HousekeepingJob.objects.update(held_until=Now() - timedelta(seconds=1), tried_at=Now() - timedelta(minutes=1))
        ours.turn()
        eventually(lambda: len(calls) == 2)
        # The lost process returns, and does not overwrite the claim.
        lost.turn()
        assert rows()["sweep"].holder == ours.holder
    finally:
        may_end.set()
    finished(lost)
    finished(ours)
    assert rows()["sweep"].done_at is not None


def test_next_process_takes_over_the_jobs(registered):
    may_end = threading.Event()
    registered(job("sweep", lambda: may_end.wait(60)))
    ending, successor = Keeper(), Keeper()
    try:
        ending.start()
        eventually(lambda: "sweep" in rows())
        ending.stop()
        successor.turn()
        assert "sweep" in successor._running
    finally:
        may_end.set()
    finished(successor)


def test_jobs_run_after_a_database_outage(registered, monkeypatch):
    calls = []
    registered(job("sweep", lambda: calls.append(1)))
    tries = iter([OperationalError("away"), None])
    ask = keeper.table.due_jobs

    def due(*args, **kwargs):
        if error := next(tries, None):
            raise error
        return ask(*args, **kwargs)

    monkeypatch.setattr(keeper.table, "due_jobs", due)
    monkeypatch.setattr(keeper, "EVERY_S", 0.01)
    ours = Keeper()
    ours.start()
    try:
        eventually(lambda: rows().get("sweep") and rows()["sweep"].done_at)
    finally:
        ours.stop()
    assert calls == [1]


def test_hung_round_is_reported(registered):
    ours = Keeper()
    ours.turned_at -= keeper.TURNS_WITHIN_S + 1
    assert ours.trouble()


@pytest.mark.parametrize("name", [each.name for each in jobs.JOBS])
def test_job_can_run_in_two_processes(name, valkey):
    found, errors = housekeeping.get(name), []

    def run():
        try:
            errors.append(keeper.work(found))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == ["", ""]
