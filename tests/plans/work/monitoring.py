"""What monitors read, and the jobs that prepare it."""

from datetime import timedelta

from django.db.models.functions import Now
from django.test import override_settings
from django.urls import reverse

from notifications.models import CounterMark
from notifications.operations.alerts.run import announce_problems
from notifications.operations.metrics.page import update_counters
from tests.plans.work import work

TOKEN = "0123456789-a-token-of-a-test"


@work
def monitor_reads_the_pages(bench):
    with override_settings(METRICS_TOKEN=TOKEN):
        for page in ("metrics", "status"):
            answer = bench.browser.get(reverse(f"notifications:{page}"), headers={"Authorization": f"Bearer {TOKEN}"})
            assert answer.status_code in {200, 503}


@work
def beat_announces_problems(bench):
    announce_problems()


@work
def beat_updates_the_counters(bench):
    CounterMark.objects.create(counted_to=Now() - timedelta(seconds=60))
    update_counters()
