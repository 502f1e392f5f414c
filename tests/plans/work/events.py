"""Reports of providers, and the suppressions that they cause."""

from datetime import timedelta
from uuid import uuid4

from django.db.models.functions import Now

from notifications.events import ingest, lifting, suppress
from notifications.events.apply import read_due
from notifications.models import Message, Suppression
from notifications.outbox import brake_queue
from notifications.providers.base.webhook import RawEvent
from tests.factories import MessageFactory
from tests.plans.work import work
from tests.plans.work.sending import queued

REPORTS = (
    {"kind": "bounced", "bounce": "hard"},
    {"kind": "bounced", "bounce": "soft"},
    {"kind": "complained"},
    {"kind": "delivered"},
    {"kind": "not-spam"},
    {"kind": "unsubscribed"},
)


@work
def webhook_stores_and_relay_reads(bench):
    message = Message.objects.filter(status="sent", user__isnull=False).order_by("pk").first()
    payloads = [{**report, "message": str(message.id)} for report in REPORTS]
    payloads += [{"kind": "delivered", "provider_message_id": f"scripted-fill-{n}"} for n in (1, 2)]
    payloads += [
        {"kind": "bounced", "bounce": "hard", "provider_message_id": "unknown", "recipient": "member9@x.example"}
    ]
    payloads += [{"kind": "bounced", "bounce": "hard", "recipient": "member9@example.com"}]
    ingest.store("scripted", [RawEvent(str(uuid4()), payload) for payload in payloads])
    read_due()


@work
def probe_heals_an_address(bench):
    suppress.lift_rechecked([Message.objects.values_list("id", flat=True).order_by("pk")[0]])


@work
def suppressions_are_lifted(bench):
    suppression = Suppression.objects.filter(lifted_at=None).order_by("pk").first()
    suppress.lift(suppression, bench.person, "test")
    lifting.lift_at_providers()


@work
def suppressed_person_signs_up(bench):
    Suppression.objects.create(address="listed@example.com", reason="complaint")
    queued(bench, to_address="listed@example.com", user=MessageFactory().user)


@work
def large_batch_is_split(bench):
    ingest.store("scripted", [RawEvent(str(uuid4()), {"kind": "delivered"}) for _ in range(ingest.DIRECT + 1)])
    read_due()


@work
def brake_holds_back_and_releases(bench):
    waiting = {"slowed_until": Now() + timedelta(hours=1), "due_at": Now() + timedelta(hours=1)}
    for number in range(3):
        queued(bench, to_address=f"held{number}@example.com", slowed_for=str(number), **waiting)
    brake_queue.release_due()
    brake_queue.domains()
    brake_queue.drop("example.com")
    brake_queue.release()
    brake_queue.prune()
