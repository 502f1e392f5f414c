from django.conf import settings as django_settings

from config.processes import PROCESSES
from notifications.providers.base.deadline import call_s


def test_limits_of_a_call_a_lease_and_a_workers_end_fit_into_each_other():
    """A worker ends after the call in hand, whose record may have to wait for the database, for a lease at most."""
    lease_s, deadline_s = django_settings.DELIVERY_LEASE_S, django_settings.PROVIDER_DEADLINE_S
    assert 2 * call_s() <= lease_s
    assert call_s() > deadline_s
    workers = [process for process in PROCESSES if process.name.startswith("worker-")]
    assert workers
    assert all(process.stop_s > call_s() + lease_s for process in workers)
