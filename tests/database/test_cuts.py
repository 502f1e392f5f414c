"""The connection to the database is cut at every statement of a delivery; the provider is called at most once.

A cut is real: the session is ended from outside, before the statement reaches the server, or after it was executed but
before the answer is read, which leaves a commit in doubt.
"""

from collections import Counter
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from devtools.stack.ports import free_port
from notifications import pauses
from notifications.delivery import record
from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import deliver
from notifications.delivery.record import RecordLostError
from notifications.models import Message
from notifications.outbox.recover import recover_ended_leases
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Status, Stream
from notifications.runtime.database import DatabaseUnavailableError, raise_outage
from tests.database.faults import by_hand, cut
from tests.factories import MessageFactory
from tests.notifications.breaker.breakers import close_circuit
from tests.scripted_webhook import ScriptedWebhook

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

CARRIER = Carrier(task_id="task-1", worker="test@here")
# Far more than a delivery of two messages executes.
MOST = 60


class Cutter:
    """Cuts the connection at statement number `at`, `after` it was executed or before."""

    def __init__(self, at, executioner, *, after):
        self.at, self.executioner, self.after = at, executioner, after
        self.count = 0
        self.sql = ""

    def __call__(self, execute, sql, params, many, context):
        self.count += 1
        if self.count != self.at:
            return execute(sql, params, many, context)
        self.sql = sql
        if self.after:
            execute(sql, params, many, context)
        cut(context["connection"].connection, self.executioner)
        self.then()
        # The first statement that notices the cut.
        return execute("SELECT 1", None, many, context)

    def then(self):
        """Do what else happens at the cut."""


class Gone(Cutter):
    """Cuts the connection; no server listens from then on."""

    def then(self):
        connection.settings_dict["PORT"] = free_port()


@contextmanager
def connection_cut(cutter):
    port = connection.settings_dict["PORT"]
    try:
        with connection.execute_wrapper(cutter):
            yield
    finally:
        connection.settings_dict["PORT"] = port
        connection.close()


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    monkeypatch.setattr(record, "PAUSE_S", 0.01)
    # Each delivery executes the same statements: what operators have paused is read once.
    monkeypatch.setattr(pauses, "READ_EVERY_S", 600.0)


def carried(messages, provider):
    """Deliver as a task does; return the provider's calls per message, and whether it ended without an error."""
    calls = Counter()
    send = provider.send

    def counting(mail):
        calls[mail.message_id] += 1
        return send(mail)

    provider.send = counting
    try:
        with raise_outage():
            deliver([message.id for message in messages], Stream.DEFAULT, CARRIER)
    except (DatabaseUnavailableError, RecordLostError):
        return calls, False
    finally:
        provider.send = send
    return calls, True


def recovered(messages):
    """End the leases, let the relay recover them, and return the rows."""
    Message.objects.filter(status=Status.SENDING).update(lease_until=Now() - timedelta(seconds=1))
    recover_ended_leases()
    rows = Message.objects.in_bulk([message.id for message in messages])
    return [rows[message.id] for message in messages]


def sweep(provider, answer, kind, *, after):
    """Deliver two messages once for every statement; yield each row with its calls and the statement that was cut."""
    # The budget counts the day once, and the provider's speed becomes known.
    deliver([MessageFactory().id], Stream.DEFAULT, CARRIER)
    with by_hand() as executioner:
        for number in range(1, MOST):
            messages = [MessageFactory(), MessageFactory()]
            # The failures of many deliveries would open the provider's circuit.
            close_circuit(provider.name)
            provider.script.clear()
            provider.script.extend([answer, answer])
            cutter = kind(number, executioner, after=after)
            with connection_cut(cutter):
                calls, ended = carried(messages, provider)
            if cutter.count < number:
                assert ended
                assert number > 4
                return
            for row in recovered(messages):
                yield row, calls[row.id], cutter.sql
    raise AssertionError(f"more than {MOST} statements")


@pytest.fixture(params=[False, True], ids=["alone", "together"])
def handed_over(request, provider, registered):
    """Hand two messages over one after another, or with one statement: the provider reports what it sends."""
    registered(provider.name, webhook=ScriptedWebhook if request.param else None)


@pytest.mark.usefixtures("handed_over")
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "answer",
    [None, ErrorClass.TRANSIENT, pytest.param(ErrorClass.AMBIGUOUS, marks=pytest.mark.long)],
    ids=str,
)
def test_cut_at_any_statement_records_each_call_and_requeues_what_was_not_called(provider, answer, after):
    expected = {None: Status.SENT, ErrorClass.TRANSIENT: Status.QUEUED, ErrorClass.AMBIGUOUS: Status.UNCERTAIN}[answer]
    seen = Counter()
    for row, calls, sql in sweep(provider, answer, Cutter, after=after):
        if calls:
            assert calls == 1, sql
            assert row.status == expected, sql
            assert [attempt.number for attempt in row.delivery_attempts.all()] == [1], sql
        else:
            # Also if the mark was written and its answer cut off.
            assert (row.status, row.attempts, row.delivery_attempts.count()) == (Status.QUEUED, 0, 0), sql
        seen[row.status, calls] += 1
    assert seen[expected, 1]
    assert seen[Status.QUEUED, 0]


@pytest.mark.long
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_database_gone_at_any_statement_requeues_nothing_that_was_called(provider, settings, after):
    settings.UNCERTAIN_SETTLE_S = 0.02
    seen = Counter()
    for row, calls, sql in sweep(provider, None, Gone, after=after):
        assert calls <= 1, sql
        if calls:
            assert row.status in {Status.SENT, Status.UNCERTAIN}, sql
        seen[row.status, calls] += 1
    # Once the record is written, nothing is left to lose.
    assert seen[Status.UNCERTAIN, 1] == (0 if after else 2)
    assert seen[Status.QUEUED, 0]


def test_requeued_message_is_sent_once(provider):
    for row, calls, sql in sweep(provider, None, Cutter, after=True):
        if row.status == Status.QUEUED:
            again, _ = carried([row], provider)
            assert again[row.id] == 1, sql
            assert not calls
