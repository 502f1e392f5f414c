"""What Prometheus reads: real rows, a real broker, Prometheus' own checks."""

import re
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import override_settings
from django.urls import reverse

from notifications.budget.keys import pace_key
from notifications.models import CounterMark, DeliveryAttempt, EventBatch, Pause, ProviderEvent
from notifications.operations.finding import Code
from notifications.operations.metrics.page import metrics, update_counters
from notifications.rules.states import Status, Stream
from notifications.runtime.heartbeat import beat
from notifications.runtime.redis_client import client as broker
from notifications.runtime.redis_client import reset
from tests.factories import MessageFactory
from tests.promtool import needs_promtool, promtool

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
TOKEN = "0123456789-a-token"


@pytest.fixture
def filled(settings, valkey):
    """Put a value into every metric."""
    settings.EMAIL_PROVIDERS = ["ses", "sendgrid"]
    CounterMark.objects.create(counted_to=Now() - timedelta(seconds=120))
    for stream in Stream:
        MessageFactory(stream=stream, due_at=Now() - timedelta(seconds=100))
        message = MessageFactory(stream=stream, status=Status.SENT, sent_at=Now(), attempts=2, due_at=Now())
        for number, result in enumerate(("transient", "accepted"), start=1):
            at = Now() - timedelta(seconds=60)
            DeliveryAttempt.objects.create(
                message=message, number=number, provider="ses", result=result, recorded_at=at
            )
    MessageFactory(uncertain=True)
    MessageFactory(status=Status.DEAD, error_fingerprint="ses/x")
    at = Now() - timedelta(seconds=90)
    ProviderEvent.objects.create(
        provider="ses", event_id="1", payload={}, kind="bounced", bounce="hard", received_at=at
    )
    broker().set(pace_key("ses", "default"), "7.500")
    beat("main@here", "tired")
    Pause.objects.create(what=Pause.What.KIND, name="product-news", reason="a test", by="an operator")
    update_counters()


def samples():
    return dict(re.findall(r"^(mailroom_\S+) (\S+)$", metrics(), re.MULTILINE))


def test_values(filled):
    found = samples()
    assert found['mailroom_due_messages{stream="default"}'] == "1"
    assert 100 <= float(found['mailroom_oldest_due_seconds{stream="bulk"}']) < 3600
    assert found['mailroom_budget_pace{stream="default"}'] == "7.5"
    assert found['mailroom_attempts_total{provider="ses",result="transient"}'] == "3"
    assert found['mailroom_sent_total{kind="welcome",stream="bulk"}'] == "1"
    assert found['mailroom_events_total{event="bounced-hard",provider="ses"}'] == "1"
    assert found['mailroom_delay_seconds_count{stream="critical"}'] == "1"
    assert found['mailroom_circuit_open{provider="sendgrid"}'] == "0"
    assert found['mailroom_paused{what="kind",name="product-news"}'] == "1"
    assert found['mailroom_process_healthy{process="main@here"}'] == "0"
    assert found[f'mailroom_problem{{code="{Code.NO_RELAY}"}}'] == "1"
    assert found["mailroom_dead_messages"] == found['mailroom_uncertain_messages{settled_by="time"}'] == "1"


def test_buckets_of_a_histogram_only_grow(filled):
    buckets = [
        (float(le), float(value))
        for le, value in re.findall(
            r'^mailroom_delay_seconds_bucket{stream="default",le="(\S+)"} (\S+)$', metrics(), re.MULTILINE
        )
    ]
    assert buckets == sorted(buckets)
    assert [count for _, count in buckets] == sorted(count for _, count in buckets)
    assert buckets[-1] == (float("inf"), 1.0)


def test_two_late_streams_are_one_sample(filled):
    MessageFactory(stream=Stream.DEFAULT, due_at=Now() - timedelta(hours=1))
    lines = [line for line in metrics().splitlines() if line.startswith("mailroom_problem{")]
    assert len(lines) == len(set(lines))


def test_outage_of_redis_is_a_value():
    reset()
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
        found = samples()
    reset()
    assert found["mailroom_redis_up"] == "0"
    assert not [name for name in found if name.startswith("mailroom_broker_tasks")]


@pytest.mark.parametrize("kind", ["event", "batch"])
def test_event_lag_is_the_age_of_the_oldest(kind):
    at = Now() - timedelta(seconds=500)
    if kind == "event":
        ProviderEvent.objects.create(provider="ses", event_id="1", payload={}, read_after=at)
        ProviderEvent.objects.create(provider="ses", event_id="2", payload={})
        ProviderEvent.objects.create(provider="ses", event_id="3", payload={}, read_after=at, state="applied")
    else:
        EventBatch.objects.create(provider="ses", events=[], received_at=at)
    found = samples()
    assert 500 <= float(found["mailroom_event_lag_seconds"]) < 3600
    assert found["mailroom_waiting_events"] == ("2" if kind == "event" else "0")


def test_page_runs_few_queries(filled, client, settings, django_assert_max_num_queries):
    settings.METRICS_TOKEN = TOKEN
    with django_assert_max_num_queries(15):
        response = client.get(reverse("notifications:metrics"), headers={"Authorization": f"Bearer {TOKEN}"})
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")


@needs_promtool
def test_prometheus_accepts_the_metrics(filled):
    """Their format, names and units, with a value in every metric."""
    done = promtool("check", "metrics", input=metrics())
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
