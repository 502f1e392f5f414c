"""This release works with a migrated database of the release before."""

from collections import Counter
from datetime import timedelta
from itertools import product

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now
from django.urls import reverse

from accounts.models import User
from notifications import housekeeping, kinds
from notifications.delivery import replay
from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import deliver
from notifications.events import ingest
from notifications.events.apply import read_due
from notifications.models import Message, ProviderEvent, Suppression
from notifications.models import housekeeping as jobs
from notifications.outbox import recover, relay
from notifications.providers.base.webhook import RawEvent
from notifications.rules.states import Status, Stream
from notifications.rules.suppression import Reason
from tests.scripted_webhook import ScriptedWebhook
from tests.upgrade.databases import filled_database, snapshot

pytestmark = pytest.mark.long

CARRIER = Carrier(task_id="task-1", worker="main@mail-1")
OF_TOMORROW = "kind-of-tomorrow"
# Set by fill.py.
PASSWORD = "a password of Ada"


@pytest.fixture(scope="module")
def before(django_db_setup, django_db_blocker):
    """Send Django to a filled and migrated database for this module; return its rows before the migration."""
    with django_db_blocker.unblock(), filled_database():
        rows = snapshot()
        call_command("migrate", verbosity=0)
        connection.close()
        yield rows


@pytest.fixture(autouse=True)
def _upgraded(before, db, valkey, provider, registered):
    registered("scripted", webhook=ScriptedWebhook)


def message(label):
    return Message.objects.get(idempotency_key=f"fact:{label}")


def read_events():
    # A batch is split once no other event waits.
    while read_due():
        pass


def test_every_message_keeps_its_status(before):
    counts = Counter(row["status"] for row in before["notifications_message"])
    assert Counter(Message.objects.order_by().values_list("status", flat=True)) == counts
    found = {(kind, status) for kind, status in Message.objects.values_list("kind", "status")}
    assert found >= set(product({kind for kind, _ in found} - {OF_TOMORROW}, Status.values))


def test_every_kind_is_known():
    assert set(Message.objects.values_list("kind", flat=True)) - {OF_TOMORROW} <= kinds.KINDS.keys()


def test_nothing_is_left_to_migrate():
    call_command("migrate", "--check", verbosity=0)
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_claims_keep_their_leases(before):
    leases = {row["id"]: row["lease_token"] for row in before["notifications_message"] if row["lease_token"]}
    sending = Message.objects.filter(status=Status.SENDING)
    assert {str(one.id): str(one.lease_token) for one in sending} == leases
    assert sending.filter(handed_over_at=None).exists()
    assert sending.exclude(handed_over_at=None).exists()


def test_anonymized_messages_name_no_recipient(before):
    anonymized = Message.objects.exclude(anonymized_at=None)
    assert anonymized.count() == sum(row["forgotten_at"] is not None for row in before["notifications_message"]) == 3
    assert set(anonymized.values_list("to_address", "user")) == {("", None)}


def test_suppressions_of_every_reason_stay_in_force():
    in_force = Suppression.objects.filter(lifted_at=None)
    assert set(in_force.values_list("reason", flat=True)) == set(Reason.values)
    assert Suppression.objects.get(address="lifted@example.com").lifted_by == User.objects.get(email="ada@example.com")


def test_news_ends_where_an_operator_has_suppressed_the_reader():
    wanting = User.objects.filter(wants_news=True).values_list("email", flat=True)
    assert "reader@example.com" in wanting
    assert not {"left@example.com", "complained@example.com"} & set(wanting)


def test_worker_delivers_a_queued_message_of_every_kind(provider):
    # Of the release before.
    known = set(Message.objects.values_list("kind", flat=True)) - {OF_TOMORROW}
    queued = {f"fact:{kind}.queued" for kind in known}
    waiting = Message.objects.filter(idempotency_key__in=queued, status=Status.QUEUED)
    while messages := list(waiting):
        for message in messages:
            deliver([message.id], Stream(message.stream), CARRIER)
        # The budget defers some of them.
        waiting.update(due_at=Now())
    sent = Message.objects.filter(idempotency_key__in=queued).values_list("kind", "status")
    assert set(sent) == {(kind, Status.SENT) for kind in known}
    assert len(provider.taken) == len(known)


def test_message_of_an_unknown_kind_keeps_waiting(provider):
    (unknown,) = Message.objects.filter(kind=OF_TOMORROW)
    deliver([unknown.id], Stream.DEFAULT, CARRIER)
    unknown.refresh_from_db()
    assert (unknown.status, unknown.error_fingerprint) == (Status.QUEUED, "kind/UnknownKindError")


def test_relay_publishes_what_is_due():
    assert relay.run_once().published.keys() == set(Stream)


def test_relay_recovers_ended_leases():
    recover.recover_ended_leases()
    assert message("lost-before-call").status == Status.QUEUED
    assert message("lost-in-call").status == Status.UNCERTAIN


def test_relay_settles_what_was_uncertain_for_too_long():
    read_events()
    uncertain = message("welcome.uncertain")
    Message.objects.filter(id=uncertain.id).update(settle_at=Now() - timedelta(seconds=1))
    recover.settle_uncertain()
    uncertain.refresh_from_db()
    assert (uncertain.status, uncertain.uncertain_resends) == (Status.QUEUED, 1)


def test_dead_letters_can_be_replayed():
    dead = message("welcome.dead")
    assert replay.replay(replay.dead_letters().filter(id=dead.id), dry_run=False).replayed == 1
    assert message("welcome.dead").status == Status.QUEUED


def test_events_and_batches_that_were_stored_are_applied():
    read_events()
    assert not ProviderEvent.objects.filter(state=ProviderEvent.State.STORED).exists()
    assert message("not-read-yet").outcome == message("in-a-batch").outcome == "delivered"


def test_delivery_of_a_recheck_lifts_its_suppression():
    suppression = Suppression.objects.get(address="rechecked@example.com")
    assert suppression.recheck_id == message("rechecked-probe").id
    payload = {"id": "delivered-at-last", "kind": "delivered", "message": str(suppression.recheck_id)}
    ingest.store("scripted", [RawEvent(payload["id"], payload)])
    read_due()
    suppression.refresh_from_db()
    assert suppression.lifted_at is not None


def test_periodic_jobs_know_when_they_were_last_done():
    known = {state.name for state in jobs.job_states()}
    every_s = {job.name: job.every_s for job in housekeeping.registered() if job.every_s >= 3600 and job.name in known}
    assert "anonymize" in every_s
    assert jobs.due_jobs(every_s, lease_s=60) == []


def test_users_log_in_and_are_deleted(client):
    assert client.login(email="ada@example.com", password=PASSWORD)
    User.objects.get(email="resent@example.com").delete()
    assert set(Message.objects.filter(context={}, to_address="", kind="welcome").values_list("user", flat=True)) == {
        None
    }


def test_admin_opens_every_list_and_a_page_of_each(client):
    client.force_login(User.objects.get(email="ada@example.com"))
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert client.get(reverse(f"{name}_changelist")).status_code == 200, name
        for row in model._default_manager.all()[:3]:
            page = client.get(reverse(f"{name}_change", args=[row.pk]), follow=True)
            assert page.status_code == 200, name
