"""Bulk email in batches: one call, each recipient's own answer, and no recipient costs another its email."""

from collections import Counter
from dataclasses import replace

import pytest
from django.db import OperationalError, connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from accounts import emails
from notifications import kinds
from notifications.delivery import batch as batches
from notifications.delivery.batch import NOT_IN_BATCH, UNDECIDED
from notifications.delivery.run import REQUEUED
from notifications.kinds import DeliveryGuarantee
from notifications.models import DeliveryAttempt, Message
from notifications.outbox.recover import recover_ended_leases
from notifications.providers.base.sending import About, Accepted, ProviderError
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Status, Stream
from tests.factories import MessageFactory
from tests.notifications.breaker.breakers import close_circuit
from tests.notifications.budget.budgets import counted
from tests.notifications.delivery.delivering import run as run_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

BAD_RECIPIENT = ProviderError(ErrorClass.PERMANENT, "bad-recipient", about=About.RECIPIENT)


def bulk(count=1, **fields):
    return MessageFactory.create_batch(count, **{"stream": Stream.BULK} | fields)


def run(messages, **options):
    return run_in(*messages, stream=Stream.BULK, **options)


def states(messages):
    rows = Message.objects.in_bulk([message.id for message in messages])
    return [(rows[message.id].status, rows[message.id].attempts) for message in messages]


def results():
    return Counter(DeliveryAttempt.objects.values_list("result", "error_code"))


def refusing(provider, *bad):
    """Let the provider refuse every call with one of these addresses."""

    def answer_to(email):
        if email.to_address in bad:
            raise BAD_RECIPIENT
        return Accepted(f"scripted-{email.message_id}")

    provider.answer_to = answer_to


def test_bulk_messages_of_one_kind_go_in_one_call(batching):
    messages = bulk(30)
    assert run(messages).counts == {"sent": 30}
    assert batching.batches == [30]
    assert states(messages) == [(Status.SENT, 1)] * 30
    assert {email.to_address for email in batching.taken} == {message.to_address for message in messages}
    ids = dict(DeliveryAttempt.objects.values_list("message_id", "provider_message_id"))
    assert ids == {message.id: f"scripted-{message.id}" for message in messages}


def test_batch_costs_as_much_as_one_email(batching):
    run(bulk(2))
    messages = bulk(60)
    with CaptureQueriesContext(connection) as statements:
        assert run(messages).counts == {"sent": 60}
    assert len(statements) == 4
    assert batching.batches == [2, 60]


@pytest.mark.parametrize("error_class", ErrorClass)
def test_refused_batch_costs_as_much_as_one_refused_email(batching, error_class):
    run(bulk(2))
    costs = []
    for count in (2, 60):
        # The second provider call of a test must not find the circuit open.
        close_circuit("scripted")
        batching.script.append(ProviderError(error_class, "all", about=About.MOMENT))
        messages = bulk(count)
        with CaptureQueriesContext(connection) as statements:
            assert run(messages).counts == {error_class.value: count}
        costs.append(len(statements))
    assert costs[0] == costs[1]


def test_each_recipient_gets_its_own_text(batching):
    messages = bulk(3)
    run(messages)
    links = {email.text for email in batching.taken}
    assert len(links) == 3


@pytest.mark.parametrize("case", ["another stream", "turned off", "no batches", "no reports"])
def test_messages_go_alone_where_there_are_no_batches(batching, registered, settings, case):
    settings.EMAIL_BATCH_SIZE = 1 if case == "turned off" else 500
    batching.largest = 1 if case == "no batches" else 500
    registered("scripted", **({"webhook": None} if case == "no reports" else {}))
    stream = Stream.DEFAULT if case == "another stream" else Stream.BULK
    assert run_in(*bulk(3, stream=stream), stream=stream).counts == {"sent": 3}
    assert batching.batches == []


def test_batch_has_at_most_as_many_recipients_as_set(batching, settings):
    settings.EMAIL_BATCH_SIZE = 4
    assert run(bulk(10)).counts == {"sent": 10}
    assert batching.batches == [4, 4, 2]


@pytest.mark.parametrize("fields", [{"claims_lost": 1}, {"uncertain_resends": 1, "attempts": 1}, {"attempts": 1}])
def test_message_that_failed_before_goes_alone(batching, fields):
    suspect, others = bulk(1, **fields), bulk(3)
    assert run([*suspect, *others]).counts == {"sent": 4}
    assert batching.batches == [3]


def test_message_that_cannot_be_rendered_costs_the_others_nothing(batching):
    broken = MessageFactory(kind="no-such-kind", stream=Stream.BULK)
    unlike = MessageFactory(kind="password-changed", stream=Stream.BULK)
    messages = bulk(3)
    report = run([broken, unlike, *messages])
    assert report.counts == {"sent": 4, "released": 1}
    assert batching.batches == [3]


def test_recipient_that_is_refused_costs_the_others_nothing(batching):
    messages = bulk(9)
    refusing(batching, messages[4].to_address)
    assert run(messages).counts == {"sent": 8, "permanent": 1}
    assert [state for state, _ in states(messages)] == [Status.SENT] * 4 + [Status.DEAD] + [Status.SENT] * 4
    assert len(batching.taken) == 8
    assert results() == {("accepted", ""): 8, ("permanent", "bad-recipient"): 1}


def test_entries_have_answers_of_their_own(batching):
    messages = bulk(4)
    odd = {messages[0].to_address: ErrorClass.TRANSIENT, messages[2].to_address: ErrorClass.PERMANENT}

    def answer_to(email):
        error_class = odd.get(email.to_address)
        return ProviderError(error_class, "entry", about=About.RECIPIENT) if error_class else Accepted("p")

    batching.answer_to = answer_to
    assert run(messages).counts == {"sent": 2, "transient": 1, "permanent": 1}
    assert states(messages) == [(Status.QUEUED, 1), (Status.SENT, 1), (Status.DEAD, 1), (Status.SENT, 1)]


def test_what_stays_undecided_is_retried_alone(batching, monkeypatch):
    monkeypatch.setattr(batches, "MOST_CALLS", 2)
    messages = bulk(8)
    refusing(batching, messages[6].to_address)
    assert run(messages).counts == {"sent": 4, "transient": 4}
    assert results() == {("accepted", ""): 4, ("transient", UNDECIDED): 4}
    Message.objects.filter(status=Status.QUEUED).update(due_at=Now())
    again = run(messages)
    assert again.counts["sent"] == 4
    assert batching.batches == [8, 4]


def test_no_call_begins_long_after_the_addresses_were_checked(batching, monkeypatch):
    messages = bulk(8)

    def refuse_late(email):
        # From now on, no call may begin.
        monkeypatch.setattr("notifications.delivery.hand_over.HandOver.is_late", True)
        raise BAD_RECIPIENT

    batching.answer_to = refuse_late
    assert run(messages).counts == {"transient": 8}
    assert batching.batches == [8]
    assert states(messages) == [(Status.QUEUED, 1)] * 8


def test_message_with_one_attempt_goes_alone(batching, monkeypatch):
    monkeypatch.setitem(kinds.KINDS, "welcome", replace(emails.WELCOME, max_attempts=1))
    assert run(bulk(3)).counts == {"sent": 3}
    assert batching.batches == []


@pytest.mark.parametrize(
    ("error_class", "status"),
    [
        (ErrorClass.TRANSIENT, Status.QUEUED),
        (ErrorClass.RATE_LIMITED, Status.QUEUED),
        (ErrorClass.MISCONFIGURED, Status.QUEUED),
        (ErrorClass.AMBIGUOUS, Status.UNCERTAIN),
    ],
)
def test_answer_about_the_call_is_the_answer_to_each(batching, error_class, status):
    messages = bulk(6)
    batching.script.append(error_class)
    assert run(messages).counts == {error_class.value: 6}
    assert states(messages) == [(status, 1)] * 6
    assert batching.batches == [6]


def test_refused_batch_is_not_counted_by_the_budget(batching, settings):
    settings.EMAIL_DAILY = "scripted=100"
    batching.script.append(ErrorClass.RATE_LIMITED)
    run(bulk(6))
    assert counted("scripted") == 0


def test_lost_answer_is_not_repeated(batching):
    messages = bulk(6)
    batching.script.append(ErrorClass.AMBIGUOUS)
    run(messages)
    assert str(run(messages)) == "nothing to do"
    assert batching.batches == [6]


def test_at_most_once_may_be_in_a_batch(batching, monkeypatch):
    once = replace(emails.WELCOME, guarantee=DeliveryGuarantee.AT_MOST_ONCE)
    monkeypatch.setitem(kinds.KINDS, "welcome", once)
    assert run(bulk(5)).counts == {"sent": 5}
    assert batching.batches == [5]


def test_recipient_that_the_provider_takes_only_alone_is_sent_alone(batching):
    messages = bulk(4)
    special = messages[1].to_address
    alone = ProviderError(ErrorClass.TRANSIENT, NOT_IN_BATCH, about=About.MESSAGE)
    alone.never_left = True
    batching.answer_to = lambda email: alone if email.to_address == special else Accepted("p")
    assert run(messages).counts == {"sent": 4}
    assert states(messages) == [(Status.SENT, 1)] * 4
    assert batching.batches == [4]


def test_worker_lost_in_mid_call_leaves_the_batch_uncertain(batching):
    messages = bulk(5)

    def crash(email):
        raise SystemExit

    batching.script.append(crash)
    with pytest.raises(SystemExit):
        run(messages)
    assert states(messages) == [(Status.SENDING, 1)] * 5
    Message.objects.update(lease_until=Now())
    assert recover_ended_leases() == (0, 5)
    assert states(messages) == [(Status.UNCERTAIN, 1)] * 5


def test_stopping_worker_calls_for_no_further_batch(batching, settings):
    settings.EMAIL_BATCH_SIZE = 3
    messages = bulk(7)
    assert run(messages, stopping=lambda: bool(batching.taken)).counts == {"sent": 3, REQUEUED: 4}
    assert states(messages[3:]) == [(Status.QUEUED, 0)] * 4


def test_database_that_fails_at_the_hand_over_loses_nothing(batching):
    messages = bulk(4)

    def fails(execute, sql, params, many, context):
        if "handed_over_at = statement_timestamp()" in sql:
            raise OperationalError("down")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fails), pytest.raises(OperationalError):
        run(messages)
    assert states(messages) == [(Status.QUEUED, 0)] * 4
    assert batching.batches == []
