"""Each sentence about the future is true when it is read."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from notifications.breaker.permits import CircuitState
from notifications.models import Message
from notifications.operations.wording import duration, next_probe, time_until, time_until_about
from notifications.support.collecting import Collected
from notifications.support.diagnosis import Diagnosis, NextStep, Situation
from notifications.support.evidence import Evidence
from notifications.support.sentences import sentence_of

NOW = datetime(2026, 1, 1, 10, tzinfo=UTC)
LATER_S = 40.0
PASSED_S = [0.0, 0.4, 0.9]


def said(situation, eta_s, state="open"):
    circuit = CircuitState(provider="ses", state=state, reason="transient: http-500")
    found = Collected(evidence=Evidence(status="queued"), now=NOW, provider="ses", circuits=[circuit])
    message = Message(
        kind="welcome", stream="default", created_at=NOW, due_at=NOW, expires_at=NOW + timedelta(hours=1), attempts=1
    )
    cause = Situation.IN_QUEUE if situation is Situation.WILL_EXPIRE else None
    diagnosis = Diagnosis(situation=situation, step=NextStep.WAIT, eta_s=eta_s, blocked_by=cause)
    return sentence_of(message, diagnosis, found)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("eta_s", PASSED_S)
@pytest.mark.parametrize("situation", Situation)
def test_time_that_has_come_is_not_counted(situation, eta_s, language):
    with translation.override(language):
        sentence = said(situation, eta_s)
    assert duration(0) not in sentence
    assert duration(1) not in sentence


def test_next_probe_differs_from_one_that_runs():
    assert len({said(Situation.PROVIDERS_REFUSE, eta_s) for eta_s in (0, LATER_S)}) == 2
    assert said(Situation.PROVIDERS_REFUSE, 0) != said(Situation.PROVIDERS_REFUSE, 0, "probing")
    assert duration(LATER_S) in said(Situation.PROVIDERS_REFUSE, LATER_S)


@pytest.mark.parametrize("words", [time_until, time_until_about])
def test_time_is_counted_from_a_second_on(words):
    assert duration(0) not in words(0.9)
    assert duration(1) in words(1.0)


def test_probe_that_is_due_has_no_time():
    states = [CircuitState(provider="ses", state="open", probes_in_s=seconds) for seconds in (*PASSED_S, LATER_S)]
    due, _due, _due, later = map(next_probe, states)
    assert due
    assert duration(0) not in due
    assert duration(LATER_S) in later
    assert next_probe(CircuitState(provider="ses", state="closed")) == ""
