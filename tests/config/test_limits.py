from django.conf import settings as django_settings

from config.processes import PROCESSES
from notifications.providers.base.deadline import call_s


def test_limits_of_calls_leases_and_stops_are_consistent():
    # A worker stops after the call in progress. Recording it may wait for the database for at most a lease.
    lease_s, deadline_s = django_settings.DELIVERY_LEASE_S, django_settings.PROVIDER_DEADLINE_S
    assert 2 * call_s() <= lease_s
    assert call_s() > deadline_s
    workers = [process for process in PROCESSES if process.name.startswith("worker-")]
    assert workers
    assert all(process.stop_s > call_s() + lease_s for process in workers)
