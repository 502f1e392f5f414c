"""Which verb sends a message again, and what would happen: a table."""

import pytest

from notifications.admin.verdicts import (
    PERMISSIONS,
    VERBS,
    VERDICTS,
    WAITS,
    SendAgainFacts,
    Verb,
    Verdict,
    Wait,
    choose,
    skip_verdict,
    verdict_in_words,
)
from notifications.delivery.relevance import Facts, skip_reason
from notifications.rules.outcomes import Outcome
from notifications.rules.states import Status, Stream
from notifications.rules.suppression import Reason, reasons_to_lift

ENDED = (Status.SENT, Status.SUPPRESSED, Status.EXPIRED, Status.CANCELLED, Status.DEAD)
CASES = [
    # Still open: nothing new is made.
    (Status.QUEUED, {}, Verb.NONE, Verdict.QUEUED),
    (Status.QUEUED, {"held": True}, Verb.NONE, Verdict.HELD),
    (Status.QUEUED, {"waits": True}, Verb.RETRY, Verdict.SENDS),
    (Status.QUEUED, {"waits": True, "replay": Verdict.EXPIRED}, Verb.NONE, Verdict.EXPIRED),
    (Status.SENDING, {}, Verb.NONE, Verdict.SENDING),
    (Status.UNCERTAIN, {}, Verb.SETTLE, Verdict.MAY_ARRIVE_TWICE),
    (Status.UNCERTAIN, {"replay": Verdict.SUPPRESSED, "liftable": True}, Verb.NONE, Verdict.SUPPRESSED),
    # Dead: the same message restarts, or else a copy is made.
    (Status.DEAD, {}, Verb.REPLAY, Verdict.SENDS),
    (Status.DEAD, {"replay": Verdict.EXPIRED}, Verb.RESEND, Verdict.SENDS),
    (Status.DEAD, {"replay": Verdict.ADDRESS_GONE, "moves": True}, Verb.RESEND, Verdict.TO_CURRENT_ADDRESS),
    (Status.DEAD, {"copy_sent": True}, Verb.RESEND, Verdict.SENT_BEFORE),
    (Status.DEAD, {"copy_dead": True}, Verb.NONE, Verdict.NEWER_COPY),
    (Status.DEAD, {"replay": Verdict.BROKEN, "resend": Verdict.BROKEN}, Verb.NONE, Verdict.BROKEN),
    # Sent: the recipient gets another one, unless the first never arrived.
    (Status.SENT, {}, Verb.RESEND, Verdict.SENT_BEFORE),
    (Status.SENT, {"outcome": Outcome.DELIVERED}, Verb.RESEND, Verdict.SENT_BEFORE),
    (Status.SENT, {"outcome": Outcome.BOUNCED}, Verb.RESEND, Verdict.SENDS),
    (Status.SENT, {"outcome": Outcome.REJECTED}, Verb.RESEND, Verdict.SENDS),
    (Status.SENT, {"moves": True}, Verb.RESEND, Verdict.TO_CURRENT_ADDRESS),
    (Status.SENT, {"resend": Verdict.CONFIRMED}, Verb.NONE, Verdict.CONFIRMED),
    # Suppressed.
    (Status.SUPPRESSED, {}, Verb.RESEND, Verdict.SENDS),
    (Status.SUPPRESSED, {"resend": Verdict.SUPPRESSED}, Verb.NONE, Verdict.SUPPRESSED),
    (Status.SUPPRESSED, {"resend": Verdict.SUPPRESSED, "liftable": True}, Verb.LIFT, Verdict.SUPPRESSED),
    (Status.CANCELLED, {"resend": Verdict.NO_ACCOUNT, "liftable": True}, Verb.NONE, Verdict.NO_ACCOUNT),
]


@pytest.mark.parametrize(("status", "facts", "verb", "verdict"), CASES)
def test_verb_and_verdict(status, facts, verb, verdict):
    assert choose(SendAgainFacts(status=status, **facts)) == (verb, verdict)


@pytest.mark.parametrize("status", Status)
def test_anonymized_message_is_not_sent_again(status):
    assert choose(SendAgainFacts(status=status, anonymized=True, waits=True)) == (Verb.NONE, Verdict.ANONYMIZED)


@pytest.mark.parametrize("status", ENDED)
def test_no_message_is_sent_again_while_a_copy_may_arrive(status):
    assert choose(SendAgainFacts(status=status, copy_open=True)) == (Verb.NONE, Verdict.COPY_OPEN)


@pytest.mark.parametrize("status", ENDED)
@pytest.mark.parametrize("reason", [verdict for verdict in Verdict if verdict is not Verdict.SUPPRESSED])
def test_no_message_is_sent_again_that_would_be_skipped(status, reason):
    facts = SendAgainFacts(status=status, replay=reason, resend=reason, moves=True, liftable=True)
    assert choose(facts) == (Verb.NONE, reason)


SKIPS = [
    ({"anonymized": True}, Verdict.ANONYMIZED),
    ({"user_gone": True}, Verdict.NO_ACCOUNT),
    ({"user_inactive": True}, Verdict.ACCOUNT_CLOSED),
    ({"address_changed": True}, Verdict.ADDRESS_GONE),
    ({"superseded": True}, Verdict.SUPERSEDED),
    ({"is_relevant": False}, Verdict.IRRELEVANT),
    ({"suppressed": Reason.COMPLAINT}, Verdict.SUPPRESSED),
    ({"flooded": True}, Verdict.FLOODED),
    ({"expired": True}, Verdict.EXPIRED),
    ({"broken": "UnknownKindError"}, Verdict.KIND_GONE),
    ({"broken": "UnknownKindError", "may_fit_elsewhere": True}, Verdict.KIND_GONE),
    ({"broken": "ZeroDivisionError"}, Verdict.BROKEN),
    ({"broken": "KeyError", "may_fit_elsewhere": True, "expired": True}, Verdict.EXPIRED),
    ({}, None),
]


@pytest.mark.parametrize(("facts", "verdict"), SKIPS)
def test_each_reason_to_skip_has_a_verdict(facts, verdict):
    assert skip_verdict(skip_reason(Facts(**facts))) == verdict


def test_irrelevant_message_of_a_confirmed_address_says_so():
    skip = skip_reason(Facts(is_relevant=False))
    assert skip_verdict(skip, is_confirmed=True) == Verdict.CONFIRMED
    assert skip_verdict(skip_reason(Facts(user_gone=True)), is_confirmed=True) == Verdict.NO_ACCOUNT


def test_every_code_has_words_and_every_verb_a_permission():
    assert list(VERBS) == list(PERMISSIONS) == list(Verb)
    assert list(VERDICTS) == list(Verdict)
    assert list(WAITS) == list(Wait)
    assert [verb for verb, codenames in PERMISSIONS.items() if not codenames] == [Verb.NONE]


def test_a_wait_does_not_hide_the_verdict():
    assert verdict_in_words(Verdict.SENT_BEFORE, None) == VERDICTS[Verdict.SENT_BEFORE]
    text = verdict_in_words(Verdict.TO_CURRENT_ADDRESS, Wait.PAUSE)
    assert text == f"{VERDICTS[Verdict.TO_CURRENT_ADDRESS]}. {WAITS[Wait.PAUSE]}"


@pytest.mark.parametrize(
    ("reasons", "stream", "lifted"),
    [
        ({Reason.HARD_BOUNCE}, Stream.DEFAULT, {Reason.HARD_BOUNCE}),
        ({Reason.HARD_BOUNCE, Reason.BY_HAND}, Stream.BULK, {Reason.HARD_BOUNCE, Reason.BY_HAND}),
        ({Reason.SOFT_BOUNCES, Reason.UNSUBSCRIBED}, Stream.CRITICAL, {Reason.SOFT_BOUNCES}),
        ({Reason.SOFT_BOUNCES, Reason.UNSUBSCRIBED}, Stream.BULK, set()),
        ({Reason.HARD_BOUNCE, Reason.COMPLAINT}, Stream.DEFAULT, set()),
        (set(), Stream.DEFAULT, set()),
    ],
)
def test_the_decision_of_a_recipient_is_not_lifted(reasons, stream, lifted):
    assert reasons_to_lift(reasons, stream) == lifted
