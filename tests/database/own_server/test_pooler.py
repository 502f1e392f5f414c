"""Everything works behind PgBouncer in transaction mode, where no cursor, setting or lock outlives its transaction."""

from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import Error, connection
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import purging
from accounts.management.commands import enqueue_missing
from accounts.models import User
from notifications import jobs
from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import deliver
from notifications.delivery.replay import dead_letters, replay
from notifications.events import ingest
from notifications.events.apply import read_due
from notifications.management.commands import announce
from notifications.models import Message, ProviderEvent, prepared
from notifications.outbox import recover, relay
from notifications.providers.base.webhook import RawEvent
from notifications.rules.states import Status, Stream
from tests.database.faults import instead
from tests.database.own_server.pooler import PROGRAM, pooler
from tests.factories import MessageFactory, UserFactory
from tests.notifications.admin.pressing import press
from tests.scripted_webhook import ScriptedWebhook

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed: apt-get install pgbouncer"),
    pytest.mark.usefixtures("valkey"),
]
CARRIER = Carrier(task_id="task", worker="test@here")
# Several pages of every loop.
PEOPLE, PAGE = 45, 10


@pytest.fixture(params=["as commands connect", "as workers connect"])
def pooled_server(own, pooled, request, tmp_path, registered, monkeypatch):
    registered("scripted", webhook=ScriptedWebhook)
    for loop, size in ((announce, "BATCH"), (enqueue_missing, "BATCH"), (purging, "PAGE")):
        monkeypatch.setattr(loop, size, PAGE)
    with pooler(own, tmp_path) as port, instead(HOST="127.0.0.1", PORT=port):
        if request.param == "as workers connect":
            pooled(size=4)
        yield


def people(count=PEOPLE, **fields):
    User.objects.bulk_create([User(email=f"{uuid4()}@example.com", **fields) for _ in range(count)])


def test_cursor_does_not_outlive_its_transaction(pooled_server):
    people()
    with instead(DISABLE_SERVER_SIDE_CURSORS=False), pytest.raises(Error):
        list(User.objects.iterator(chunk_size=PAGE))


def test_iterators_read_all_rows_with_the_setting(pooled_server):
    people()
    assert len(list(User.objects.iterator(chunk_size=PAGE))) == PEOPLE


def test_announcement_reaches_every_reader(pooled_server):
    people(confirmed_at=timezone.now(), wants_news=True)
    arguments = ("summer", "--headline", "News", "--text", "Some.")
    call_command("announce", *arguments, stdout=StringIO())
    assert Message.objects.filter(kind="product-news").count() == PEOPLE


def test_every_missing_welcome_is_enqueued(pooled_server):
    people()
    call_command("enqueue_missing", stdout=StringIO())
    assert Message.objects.filter(kind="welcome").count() == PEOPLE


def test_purge_reaches_every_account(pooled_server):
    people(PEOPLE, sign_up=uuid4(), date_joined=timezone.now() - timedelta(days=99))
    sent = [
        Message(
            kind="welcome",
            stream="default",
            user=user,
            to_address=user.email,
            idempotency_key=f"t:{user.pk}",
            status=Status.SENT,
            sent_at=timezone.now() - timedelta(days=90),
        )
        for user in User.objects.all()
    ]
    Message.objects.bulk_create(sent)
    assert purging.purge_all() == PEOPLE


def test_message_goes_from_sign_up_to_provider_and_back(pooled_server, provider):
    password = "a long enough password 1"
    Client().post(reverse("accounts:sign-up"), {"email": "ada@example.com", "password": password})
    message = MessageFactory(kind="password-changed", stream=Stream.CRITICAL)
    relay.run_once(relay.Round())
    deliver([message.id], Stream.CRITICAL, CARRIER)
    ingest.store("scripted", [RawEvent("1", {"id": "1", "kind": "delivered", "message": str(message.id)})])
    read_due()
    message.refresh_from_db()
    assert (message.status, message.outcome) == (Status.SENT, "delivered")
    assert ProviderEvent.objects.get().state == ProviderEvent.State.APPLIED


def test_lost_and_dead_messages_are_recovered(pooled_server):
    MessageFactory(abandoned=True)
    MessageFactory(abandoned=True, handed_over=True)
    MessageFactory(uncertain=True)
    assert recover.recover_ended_leases() == (1, 1)
    assert recover.settle_uncertain() == 1
    user = UserFactory()
    messages = [MessageFactory.build(user=user, status=Status.DEAD, died_at=timezone.now()) for _ in range(3)]
    Message.objects.bulk_create(messages)
    assert replay(dead_letters(), dry_run=False, batch=1).replayed == 3


def test_periodic_jobs_run(pooled_server, provider):
    MessageFactory(user=None, to_address="x@example.com", status="expired", created_at=Now() - timedelta(days=30))
    for job in jobs.JOBS:
        job.run()
    assert Message.objects.get().anonymized_at is not None


def test_operator_opens_pages_and_resends(pooled_server):
    operator = Client()
    operator.force_login(User.objects.create_superuser("operator@example.com", "a long password"))
    message = MessageFactory(status=Status.SENT, sent_at=Now(), kind="password-changed")
    for page in ("notifications_dashboard", "notifications_message_changelist", "accounts_user_changelist"):
        assert operator.get(reverse(f"admin:{page}")).status_code == 200
    assert press(operator, message).status_code == 200
    assert Message.objects.filter(resend_of=message).count() == 1


def test_statements_are_not_prepared(pooled_server, monkeypatch):
    monkeypatch.setattr(prepared, "SMALL_BYTES", 0)
    for _ in range(10):
        User.objects.filter(pk=1).exists()
        with prepared.prepared_cursor() as cursor:
            cursor.execute("SELECT %s::int", [1])
    assert connection.connection.prepare_threshold is None
