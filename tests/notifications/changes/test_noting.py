"""The statement that changes a message notes the change for the receivers of `message_changed`."""

import pytest
from django.db import transaction
from django.db.models.functions import Now

from notifications.events import apply as reading
from notifications.events import ingest
from notifications.models import Message, PendingChange, Suppression, transitions
from notifications.outbox import Draft, enqueue_many
from notifications.providers.base.webhook import RawEvent
from notifications.rules import states
from notifications.rules.changes import OF_OUTCOME, OF_STATUS, MessageChange
from notifications.rules.outcomes import Outcome
from notifications.rules.states import Event, Status
from notifications.rules.suppression import Reason
from tests.factories import MessageFactory
from tests.notifications.models.test_transitions import PATHS, accept, message_in
from tests.scripted_webhook import ScriptedWebhook

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


@pytest.fixture(autouse=True)
def _scripted_webhook(registered):
    registered("scripted", webhook=ScriptedWebhook)


def noted():
    return list(PendingChange.objects.values_list("message_id", "change"))


def report(message, kind, **more):
    payload = {"id": f"{kind} {more}", "kind": kind, "message": str(message.id), **more}
    ingest.store("scripted", [RawEvent(payload["id"], payload)])
    reading.read_due()


def test_tables_are_total():
    assert list(OF_STATUS) == list(Status)
    assert set(OF_OUTCOME) == set(Outcome)
    assert {*OF_STATUS.values(), *OF_OUTCOME.values()} - {None} == set(MessageChange)


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize(("fields", "act", "event"), [path[1:] for path in PATHS], ids=[path[0] for path in PATHS])
def test_every_change_of_a_status_is_noted(fields, act, event):
    message = MessageFactory(**fields)
    act(message)
    change = OF_STATUS[states.target(event)]
    assert noted() == ([(message.id, change)] if change else [])


@pytest.mark.parametrize(("fields", "act"), [path[1:3] for path in PATHS], ids=[path[0] for path in PATHS])
def test_nothing_is_noted_without_receivers(fields, act):
    act(MessageFactory(**fields))
    assert noted() == []


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize("status", Status)
def test_acceptance_is_noted_if_it_changes_the_status(status):
    message = message_in(status)
    accept(message)
    assert noted() == ([] if status is Status.SENT else [(message.id, MessageChange.SENT)])


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize("kind", ["deferred", "delivered", "bounced", "complained", "rejected"])
def test_every_change_of_an_outcome_is_noted_once(kind):
    message = message_in(Status.SENT)
    report(message, kind, number=1)
    report(message, kind, number=2)
    change = OF_OUTCOME[Outcome(kind)]
    assert noted() == ([(message.id, change)] if change else [])


@pytest.mark.usefixtures("calls")
def test_report_that_changes_nothing_is_not_noted():
    message = message_in(Status.SENT)
    for kind in ("complained", "delivered"):
        report(message, kind)
    assert noted() == [(message.id, MessageChange.COMPLAINED)]


@pytest.mark.usefixtures("calls")
def test_report_of_an_uncertain_message_is_two_changes_in_order():
    message = MessageFactory(uncertain=True)
    report(message, "delivered")
    assert noted() == [(message.id, MessageChange.SENT), (message.id, MessageChange.DELIVERED)]


@pytest.mark.usefixtures("calls")
def test_new_message_to_a_suppressed_address_is_noted():
    Suppression.objects.create(address="ada@example.com", reason=Reason.HARD_BOUNCE)
    drafts = [Draft(kind="welcome", to=f"{name}@example.com") for name in ("bob", "ada")]
    _, suppressed = enqueue_many(drafts)
    assert noted() == [(suppressed.id, MessageChange.SUPPRESSED)]


@pytest.mark.usefixtures("calls")
@pytest.mark.django_db(transaction=True)
def test_rolled_back_change_is_not_noted():
    message = MessageFactory()
    with transaction.atomic():
        transitions.apply(Event.EXPIRED, Message.objects.filter(id=message.id))
        assert noted()
        transaction.set_rollback(True)
    assert noted() == []


@pytest.mark.parametrize("event", [Event.EXPIRED, Event.RETRY])
def test_noting_costs_no_statement(calls, django_assert_num_queries, event):
    messages = [MessageFactory(sending=True) for _ in range(3)]
    with django_assert_num_queries(1):
        ids = transitions.apply(event, Message.objects.filter(id__in=[message.id for message in messages]))
    assert len(ids) == 3
    with django_assert_num_queries(1):
        transitions.record_outcome(Outcome.DELIVERED, ids)
    assert Message.objects.filter(outcome=Outcome.DELIVERED, outcome_at__lte=Now()).count() == 3
