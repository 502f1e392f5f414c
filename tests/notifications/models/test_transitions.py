"""Every change of a status or outcome passes through notifications.models.transitions."""

import ast
import logging
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.db.models.functions import Now

import notifications
from notifications.anonymization import anonymize_user
from notifications.delivery.attempt import Carrier, attempt_of
from notifications.delivery.claim import claim, release, revert_hand_over
from notifications.delivery.record import RefusedAttempt, record_acceptances, record_refusals, record_skip
from notifications.delivery.relevance import Skip
from notifications.delivery.replay import replay
from notifications.events import apply as reading
from notifications.events import ingest
from notifications.models import Message, Suppression, transitions
from notifications.outbox import Draft, brake_queue, enqueue, recover, settle
from notifications.providers.base.sending import Accepted, ProviderError
from notifications.providers.base.webhook import RawEvent
from notifications.rules import states
from notifications.rules.retry import ErrorClass, GiveUp, Retry, TooLate, Uncertain
from notifications.rules.states import Event, Status
from notifications.rules.suppression import Reason
from tests.factories import MessageFactory
from tests.scripted_webhook import ScriptedWebhook

pytestmark = pytest.mark.django_db

CARRIER = Carrier(task_id="task-1", worker="test@here")
REFUSED = ProviderError(ErrorClass.TRANSIENT, "as-scripted")
AN_HOUR = timedelta(hours=1)


def refuse(message, decision):
    record_refusals([RefusedAttempt(attempt=attempt_of(message, CARRIER, "scripted", REFUSED, 0.1), decision=decision)])


def skip(message, event):
    record_skip(message, Skip(event, "a reason"), pause_s=1.0)


def report(message):
    payload = {"id": "1", "kind": "accepted", "recipient": message.to_address, "message": str(message.id), "attempt": 1}
    ingest.store("scripted", [RawEvent("1", {**payload, "provider_message_id": "scripted-1"})])
    reading.read_due()


def accept(message):
    record_acceptances([attempt_of(message, CARRIER, "scripted", Accepted("scripted-1"), 0.1)])


def replay_fact(message):
    draft = Draft(kind=message.kind, to=message.to_address, user=message.user, key=message.idempotency_key)
    enqueue(draft, replay_dead=True)


SENDING, HANDED_OVER = {"sending": True}, {"sending": True, "handed_over": True}
LOST, CALLING_LOST = {"abandoned": True}, {"abandoned": True, "handed_over": True}
UNCERTAIN, DEAD = {"uncertain": True}, {"status": Status.DEAD}
SLOWED = {"slowed_until": Now() + AN_HOUR, "slowed_for": "a client"}
# Every code path that changes a status: the message it needs, what it does, and the event that listeners get.
PATHS = [
    ("claim", {}, lambda message: claim([message.id]), Event.CLAIMED),
    ("release", SENDING, lambda message: release([message]), Event.RELEASED),
    ("revert hand-over", HANDED_OVER, lambda message: revert_hand_over([message]), Event.RELEASED),
    ("wait for another worker", SENDING, lambda message: skip(message, Event.RELEASED), Event.RELEASED),
    ("lost worker", LOST, lambda _: recover.recover_ended_leases(), Event.LEASE_ENDED),
    ("lost worker, called", CALLING_LOST, lambda _: recover.recover_ended_leases(), Event.WORKER_LOST),
    ("lost again", {**LOST, "claims_lost": 9}, lambda _: recover.recover_ended_leases(), Event.FAILED),
    ("acceptance", HANDED_OVER, accept, Event.ACCEPTED),
    ("webhook", UNCERTAIN, report, Event.ACCEPTED),
    ("by hand: sent", UNCERTAIN, lambda message: settle.mark_sent(message, "ada"), Event.ACCEPTED),
    ("retry", HANDED_OVER, lambda message: refuse(message, Retry(1.0)), Event.RETRY),
    ("response lost", HANDED_OVER, lambda message: refuse(message, Uncertain()), Event.RESPONSE_LOST),
    ("refused permanently", HANDED_OVER, lambda message: refuse(message, GiveUp("spent")), Event.FAILED),
    ("too late", HANDED_OVER, lambda message: refuse(message, TooLate()), Event.EXPIRED),
    ("settled", UNCERTAIN, lambda _: recover.settle_uncertain(), Event.SETTLED),
    ("by hand: again", UNCERTAIN, lambda message: settle.send_again(message, "ada"), Event.SETTLED),
    ("by hand: dropped", UNCERTAIN, lambda message: settle.drop(message, "ada"), Event.DROPPED),
    ("expired", SENDING, lambda message: skip(message, Event.EXPIRED), Event.EXPIRED),
    ("irrelevant", SENDING, lambda message: skip(message, Event.CANCELLED), Event.CANCELLED),
    ("broken", SENDING, lambda message: skip(message, Event.FAILED), Event.FAILED),
    ("suppressed", SENDING, lambda message: skip(message, Event.ADDRESS_SUPPRESSED), Event.ADDRESS_SUPPRESSED),
    ("dropped by the brake", SLOWED, lambda _: brake_queue.drop(), Event.CANCELLED),
    ("account deleted", {}, lambda message: anonymize_user(message.user), Event.CANCELLED),
    ("account deleted, uncertain", UNCERTAIN, lambda message: anonymize_user(message.user), Event.DROPPED),
    ("replay", DEAD, lambda _: replay(Message.objects.all(), dry_run=False), Event.REPLAYED),
    ("enqueued again", DEAD, replay_fact, Event.REPLAYED),
]


@pytest.fixture
def received(monkeypatch):
    transitions_received = []
    monkeypatch.setattr(transitions, "LISTENERS", [transitions_received.append])
    return transitions_received


@pytest.fixture
def _scripted_webhook(registered):
    registered("scripted", webhook=ScriptedWebhook)


@pytest.mark.usefixtures("valkey", "_scripted_webhook")
@pytest.mark.parametrize(("fields", "act", "event"), [path[1:] for path in PATHS], ids=[path[0] for path in PATHS])
def test_path_notifies_listeners_once(received, django_capture_on_commit_callbacks, fields, act, event):
    message = MessageFactory(**fields)
    before = Status(message.status)
    with django_capture_on_commit_callbacks(execute=True):
        act(message)
        assert received == []
    (transition,) = received
    after = Status(Message.objects.get(id=message.id).status)
    assert (transition.event, transition.to) == (event, after)
    assert transition.messages == [transitions.Changed(id=message.id, kind=message.kind)]
    assert before in transition.sources


def test_every_event_of_the_table_has_a_path():
    assert {path[-1] for path in PATHS} == set(Event)


@pytest.mark.usefixtures("valkey")
@pytest.mark.parametrize("status", [Status.QUEUED, Status.SUPPRESSED])
def test_new_message_notifies_listeners_once(received, django_capture_on_commit_callbacks, status):
    if status is Status.SUPPRESSED:
        Suppression.objects.create(address="ada@example.com", reason=Reason.HARD_BOUNCE)
    with django_capture_on_commit_callbacks(execute=True):
        message = enqueue(Draft(kind="welcome", to="ada@example.com"))
    (transition,) = received
    assert (transition.event, transition.to, transition.sources) == (None, status, [])
    assert transition.messages == [transitions.Changed(id=message.id, kind="welcome")]


def message_in(status, **fields):
    by_status = {
        Status.SENDING: SENDING,
        Status.UNCERTAIN: UNCERTAIN,
        Status.SENT: {"status": Status.SENT, "sent_at": Now()},
    }
    return MessageFactory(**by_status.get(status, {"status": status}), **fields)


def row(message):
    return Message.objects.filter(id=message.id).values().get()


@pytest.mark.parametrize("status", Status)
def test_acceptance_has_the_effect_and_the_event_of_the_table(received, django_capture_on_commit_callbacks, status):
    # record_acceptances changes the status in a statement that does not pass through transitions.apply.
    changes, announced = [], []
    for act in (accept, lambda message: transitions.apply(Event.ACCEPTED, by_id(message), provider="scripted")):
        message = message_in(status, status_reason="a reason", error_fingerprint="scripted/x")
        before = row(message)
        with django_capture_on_commit_callbacks(execute=True):
            act(message)
        after = row(message)
        changes.append({name: value for name, value in after.items() if value != before[name] and name != "sent_at"})
        assert (after["sent_at"] is None) is (after["status"] != Status.SENT)
        announced.append([(one.event, one.to, [each.kind for each in one.messages]) for one in received])
        received.clear()
    assert changes[0] == changes[1]
    assert announced[0] == announced[1]


@pytest.mark.parametrize("status", Status)
def test_claim_has_the_effect_and_the_event_of_the_table(received, django_capture_on_commit_callbacks, status):
    message = message_in(status)
    before = row(message)
    with django_capture_on_commit_callbacks(execute=True):
        claimed = claim([message.id])
    after = row(message)
    may_claim = isinstance(states.TRANSITIONS[status][Event.CLAIMED], Status)
    assert {name for name in after if after[name] != before[name]} == (
        {"status", "lease_token", "lease_until"} if may_claim else set()
    )
    assert [vars(each)["lease_token"] for each in claimed] == [after["lease_token"]] * may_claim
    assert [(one.event, one.to) for one in received] == [(Event.CLAIMED, Status.SENDING)] * may_claim


def by_id(message):
    return Message.objects.filter(id=message.id)


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("status", Status)
def test_event_that_the_table_ignores_changes_nothing(status, event):
    message = message_in(status)
    claimed = {"lease_token": message.id, "lease_until": Now()} if event is Event.CLAIMED else {}
    changed = transitions.apply(event, Message.objects.filter(id=message.id), **claimed)
    after = states.TRANSITIONS[status][event]
    assert bool(changed) == isinstance(after, Status)
    assert Message.objects.get(id=message.id).status == (after if changed else status)


@pytest.mark.django_db(transaction=True)
def test_rolled_back_change_notifies_no_listener(received):
    message = MessageFactory()
    with transaction.atomic():
        transitions.apply(Event.EXPIRED, Message.objects.filter(id=message.id))
        transaction.set_rollback(True)
    assert received == []


@pytest.mark.django_db(transaction=True)
def test_failing_listener_affects_neither_the_change_nor_other_listeners(monkeypatch):
    def fail(transition):
        raise RuntimeError

    received = []
    monkeypatch.setattr(transitions, "LISTENERS", [fail, received.append])
    message = MessageFactory()
    with transaction.atomic():
        assert transitions.apply(Event.EXPIRED, Message.objects.filter(id=message.id)) == [message.id]
    assert [transition.event for transition in received] == [Event.EXPIRED]


def test_transition_costs_one_statement(django_assert_num_queries):
    ids = [MessageFactory().id for _ in range(3)]
    with django_assert_num_queries(1):
        assert set(transitions.apply(Event.EXPIRED, Message.objects.filter(id__in=ids))) == set(ids)
    with django_assert_num_queries(0):
        assert transitions.apply(Event.EXPIRED, Message.objects.filter(id__in=[])) == []


def test_log_names_event_and_messages_and_no_address(caplog, django_capture_on_commit_callbacks):
    message = MessageFactory(sending=True)
    with django_capture_on_commit_callbacks(execute=True), caplog.at_level(logging.DEBUG, transitions.__name__):
        transitions.apply(Event.FAILED, Message.objects.filter(id=message.id))
    (line,) = [record for record in caplog.records if record.name == transitions.__name__]
    assert line.levelno == logging.WARNING
    fields = dict(field.split("=") for field in line.getMessage().split())
    assert fields == {
        "event": "failed",
        "from": "sending",
        "to": "dead",
        "count": "1",
        "kinds": message.kind,
        "ids": str(message.id),
    }


# --- No other module writes a status or an outcome --------------------------------------------------------------------
ROOT = Path(notifications.__file__).parent
WRITERS = {"update", "bulk_update", "save", "Message", "create", "setattr"}
# Raw SQL for the events of every email. It calls transitions.announce, and tests compare it with the table.
SQL_THAT_ANNOUNCES = {"delivery/claim.py", "delivery/record.py"}
NAMES = {"status", "outcome"}
SETS_STATUS = re.compile(
    r"UPDATE\s+notifications_message\b[^;]*?\bSET\b(?:(?!\bWHERE\b).)*?\b(status|outcome)\s*=", re.DOTALL
)


def _modules():
    # Those in `moving` write rows of other packages.
    for path in sorted(ROOT.rglob("*.py")):
        if not {"migrations", "moving"} & set(path.parts) and path != ROOT / "models" / "transitions.py":
            yield str(path.relative_to(ROOT)), path.read_text()


def _status_writes(tree, *, keys):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in WRITERS and any(keyword.arg in NAMES for keyword in node.keywords):
                yield node.lineno
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in targets:
            if isinstance(target, ast.Attribute) and target.attr in NAMES and ast.unparse(target.value) != "self":
                yield node.lineno
        if keys and isinstance(node, ast.Dict) and any(getattr(key, "value", "") in NAMES for key in node.keys):
            yield node.lineno


def test_no_other_module_writes_a_status_or_an_outcome():
    # Only these build changes of rows as dictionaries; elsewhere, "status" is an answer's or an event's.
    rows = ("delivery/", "outbox/", "models/", "anonymization.py")
    found = {
        f"{name}:{line}"
        for name, text in _modules()
        for line in _status_writes(ast.parse(text), keys=name.startswith(rows))
    }
    assert found == set()
    assert {name for name, text in _modules() if SETS_STATUS.search(text)} == SQL_THAT_ANNOUNCES
