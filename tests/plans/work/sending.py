"""Enqueue, relay, deliver, recover, replay, anonymize."""

from dataclasses import replace
from datetime import timedelta

from django.db.models.functions import Now
from django.test import override_settings
from django.utils.timezone import now

from notifications import anonymization, cancel, jobs, reschedule
from notifications.bounce_brake import brake, counts
from notifications.budget import day
from notifications.changes.dispatch import dispatch
from notifications.delivery import speed
from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import deliver
from notifications.delivery.facts import gather
from notifications.delivery.replay import dead_letters, replay
from notifications.lookup import history, progress
from notifications.models import Message, transitions
from notifications.outbox import Draft, enqueue, enqueue_many, pausing, recover, relay, settle
from notifications.providers.base.sending import About, ProviderError
from notifications.rules.outcomes import BounceKind, Outcome
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Status, Stream
from notifications.runtime.redis_client import client
from notifications.signals import message_changed
from tests.factories import MessageFactory
from tests.plans.filled import BUSY_ADDRESS
from tests.plans.work import Bench, work

NO_MAILBOX = ProviderError(ErrorClass.PERMANENT, "gone", about=About.UNKNOWN, bounce=BounceKind.HARD)
CARRIER = Carrier(task_id="task", worker="test@here")


def queued(bench: Bench, **fields):
    return MessageFactory(**{"user": bench.person, "kind": "password-changed", "stream": Stream.CRITICAL} | fields)


@work
def enqueue_for_people_and_for_addresses(bench):
    drafts = [Draft(kind="password-reset", to=bench.person.email, user=bench.person, key=f"n{n}") for n in range(3)]
    enqueue_many([*drafts, Draft(kind="account-exists", to="gone2@example.com")])


@work
def send_a_message_with_content(bench):
    to = {"to": bench.person.email, "user": bench.person, "cc": ["gone2@example.com"]}
    draft = Draft(kind="provider-test", key="content", context={"sender": "x", "sent_from": "y"}, **to)
    drafts = [draft, draft, replace(draft, key="other", send_at=now() + timedelta(days=1))]
    message, _, _ = map(enqueue, drafts)
    assert reschedule("other", now())
    deliver([message.id], Stream.CRITICAL, CARRIER)
    assert cancel("other")


@work
def enqueue_while_the_brake_is_on(bench):
    brake._decided = (float("inf"), True)
    enqueue_many([Draft(kind="welcome", to=bench.person.email, user=bench.person)])
    brake.reset()


@work
def deliver_to_an_address_with_a_long_history(bench):
    gather([queued(bench, to_address=BUSY_ADDRESS)])


@work
def relay_publishes_a_round(bench):
    client().set(relay.SENTINEL, client().info("server")["run_id"])
    for _ in range(3):
        queued(bench, relay_after=Now() - timedelta(seconds=1))
    relay.run_once(relay.Round())


@work
def relay_calls_the_receivers_of_changes(bench):
    seen = []

    def fail_once(message_id, **values):
        seen.append(message_id)
        if len(seen) == 1:
            raise ValueError

    message_changed.connect(fail_once)
    messages = [queued(bench, uncertain=True) for _ in range(3)]
    for message in messages:
        settle.mark_sent(message, "ada")
    transitions.record_outcome(Outcome.DELIVERED, [message.id for message in messages])
    dispatch()
    assert len(seen) == 6
    message_changed.disconnect(fail_once)


@work
def relay_releases_after_the_broker_was_lost(bench):
    relay.release_after_loss(unsure=True)


@work
def relay_parks_and_releases_what_is_paused(bench):
    paused = [queued(bench, relay_after=Now() - timedelta(seconds=1)) for _ in range(3)]
    for what, name in (("stream", Stream.CRITICAL), ("kind", "product-news")):
        pausing.start_pause(what, name, by="Ada", reason="test")
    relay.run_once(relay.Round())
    deliver([message.id for message in paused], Stream.CRITICAL, CARRIER)
    for what, name in (("stream", Stream.CRITICAL), ("kind", "product-news")):
        pausing.end_pause(what, name, by="Ada")
    relay.run_once(relay.Round())


@work
def lost_workers_and_uncertain_messages_are_taken_back(bench):
    queued(bench, abandoned=True)
    queued(bench, abandoned=True, handed_over=True)
    queued(bench, uncertain=True)
    recover.recover_ended_leases()
    recover.settle_uncertain()


@work
def worker_delivers(bench):
    answers = (None, ErrorClass.TRANSIENT, ErrorClass.PERMANENT, ErrorClass.AMBIGUOUS, ErrorClass.RATE_LIMITED)
    for answer in answers:
        bench.provider.script.append(answer)
        deliver([queued(bench).id], Stream.CRITICAL, CARRIER)


@work
def worker_delivers_a_group(bench):
    speed.recent["scripted"] = (0.001,)
    messages = MessageFactory.create_batch(5)
    bench.provider.script.extend([None, None, ErrorClass.MISCONFIGURED])
    deliver([message.id for message in messages], Stream.DEFAULT, CARRIER)
    assert len(bench.provider.taken) == 2


@work
def worker_delivers_a_batch(bench):
    bench.provider.largest = 500
    # Without a rate, each batch goes whole; a refusal for the rate comes last, as it sets one.
    answers = (None, ErrorClass.AMBIGUOUS, NO_MAILBOX, ErrorClass.RATE_LIMITED)
    bench.provider.script.extend(answers)
    with override_settings(EMAIL_RATE="", EMAIL_STREAM_RATES=""):
        for _ in answers:
            messages = MessageFactory.create_batch(8, stream=Stream.BULK)
            deliver([message.id for message in messages], Stream.BULK, CARRIER)
    assert bench.provider.batches == [8] * len(answers)


@work
def worker_defers_what_the_rate_does_not_allow(bench):
    bench.provider.largest = 500
    messages = MessageFactory.create_batch(32, stream=Stream.BULK)
    with override_settings(EMAIL_RATE="1"):
        report = deliver([message.id for message in messages], Stream.BULK, CARRIER)
    assert report.counts["deferred"]


@work
def worker_skips_what_is_unwanted(bench):
    old = queued(bench, kind="password-reset", created_at=Now() - timedelta(minutes=1))
    queued(bench, kind="password-reset")
    listed = queued(bench, to_address="gone2@example.com")
    deliver([old.id, listed.id], Stream.CRITICAL, CARRIER)


@work
def budget_counts_the_day(bench):
    # To rebuild the count after Redis lost it, a day of attempts is read; here the day has few.
    day.sent_by_hour("scripted")
    day.in_flight("scripted")


@work
def brake_counts_bounces(bench):
    counts.count_bounces(["welcome", "address-change"])


@work
def dead_letters_are_replayed(bench):
    for filters in ({"error": "scripted/1"}, {"kind": "welcome"}, {"since": Now() - timedelta(days=1)}):
        replay(dead_letters(**filters), dry_run=True)
    for _ in range(3):
        queued(bench, status=Status.DEAD, error_fingerprint="late/one")
    replay(dead_letters(error="late/one"), dry_run=False)


@work
def dead_letters_without_an_address_are_judged(bench):
    replay(Message.objects.filter(status="dead", to_address="", error_fingerprint="scripted/2"), dry_run=True)


@work
def email_of_no_account_is_anonymized(bench):
    MessageFactory(user=None, to_address="x@example.com", status="expired", created_at=Now() - timedelta(days=30))
    anonymization.anonymize_ended()


@work
def account_is_deleted(bench):
    queued(bench)
    bench.person.delete()


@work
def pages_ask_for_progress_and_history(bench):
    progress(queued(bench).id)
    history(bench.person, 10)


@work
def periodic_jobs_run(bench):
    for job in jobs.JOBS:
        job.run()
