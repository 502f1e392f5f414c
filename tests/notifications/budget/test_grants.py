"""The shared budget on a real Valkey, whose clock is stopped: tests shift its times."""

import threading
import time

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from notifications.budget import grants as budget
from notifications.budget import scripts, terms
from notifications.budget.grants import release, reserve
from notifications.budget.keys import pace_key
from notifications.budget.rates import FASTEST
from notifications.budget.terms import burst, rate_of
from notifications.rules.states import Stream
from notifications.runtime.redis_client import client
from tests.notifications.budget.budgets import drain, let_pass, rates_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("still")]

FLOORS = {Stream.CRITICAL: 0.5, Stream.DEFAULT: 0.2, Stream.BULK: 0.1}


@pytest.fixture(autouse=True)
def ten_per_second(settings, valkey):
    settings.EMAIL_RATE, settings.EMAIL_STREAM_RATES = "10", ""
    settings.EMAIL_STREAM_FLOORS = "critical=0.5,default=0.2,bulk=0.1"
    # The first call after a wipe rebuilds the daily count, which is done here.
    reserve("ses", Stream.BULK, 0)


def test_burst_is_granted_and_the_others_wait_at_intervals_of_the_rate():
    grant = reserve("ses", Stream.DEFAULT, 10)
    assert grant.count == 7  # six are borrowed, one more is the floor's
    first, second, third = grant.waits_s
    assert 0.1 < first <= 0.175
    assert second - first == pytest.approx(0.1, abs=0.01)
    assert third - second == pytest.approx(0.1, abs=0.01)


def test_messages_refused_later_wait_longer():
    last = reserve("ses", Stream.DEFAULT, 10).waits_s[-1]
    assert reserve("ses", Stream.DEFAULT, 1).waits_s[0] > last


def test_no_wait_is_longer_than_the_bound(settings):
    settings.EMAIL_RATE = "1"
    assert reserve("ses", Stream.DEFAULT, 100).waits_s[-1] <= terms.LONGEST_WAIT_S + 2


def test_message_that_retries_after_its_wait_is_granted():
    drain(Stream.BULK)
    wait_s = reserve("ses", Stream.BULK, 1).waits_s[0]
    let_pass("ses", wait_s)
    assert reserve("ses", Stream.BULK, 1).count == 1


@pytest.mark.parametrize("first", list(Stream))
def test_more_urgent_streams_borrow_more(settings, first):
    settings.EMAIL_RATE, settings.EMAIL_STREAM_FLOORS = "100", ""
    assert drain(first) == pytest.approx(100 * terms.BORROW_S[first], abs=3)
    for less_urgent in list(Stream)[list(Stream).index(first) + 1 :]:
        assert reserve("ses", less_urgent, 1).count == 0
    for more_urgent in list(Stream)[: list(Stream).index(first)]:
        assert reserve("ses", more_urgent, 1).count == 1


@pytest.mark.parametrize("stream", list(Stream))
def test_floor_is_available_when_others_have_borrowed_everything(settings, stream):
    settings.EMAIL_RATE = "100"
    for other in Stream:
        if other is not stream:
            drain(other)
    assert drain(stream) >= int(1 + FLOORS[stream] * 100 * terms.FLOOR_S)


def test_floors_hold_over_time_and_critical_borrows_first(settings):
    settings.EMAIL_RATE = "100"
    rates = rates_of(*reversed(Stream), steps=40)  # bulk always asks first
    assert rates[Stream.DEFAULT] == pytest.approx(20, abs=2.5)
    assert rates[Stream.BULK] == pytest.approx(10, abs=2.5)
    assert rates[Stream.CRITICAL] >= 65


def test_idle_share_is_borrowed_to_the_last_token(settings):
    settings.EMAIL_RATE = "100"
    assert rates_of(Stream.BULK, steps=20)[Stream.BULK] == pytest.approx(100, abs=10)


def test_stream_has_a_ceiling(settings):
    settings.EMAIL_RATE, settings.EMAIL_STREAM_RATES = "1000", "bulk=4"
    assert reserve("ses", Stream.BULK, 10).count == 2
    assert reserve("ses", Stream.DEFAULT, 10).count == 10


def test_provider_without_a_configured_rate_has_its_usual_rate(settings):
    settings.EMAIL_RATE = "ses=40"
    assert {name: rate_of(name) for name in ("ses", "sendgrid", "smtp")} == {"ses": 40, "sendgrid": 50, "smtp": 5}


def test_empty_rate_means_unlimited(settings):
    settings.EMAIL_RATE = ""
    assert rate_of("ses") == FASTEST
    assert reserve("ses", Stream.DEFAULT, 50).count == 50


def test_released_grants_can_be_granted_again(settings):
    settings.EMAIL_RATE = "1"
    grant = reserve("ses", Stream.CRITICAL, 3)
    before = drain(Stream.CRITICAL)
    release("ses", Stream.CRITICAL, grant, 2)
    assert (grant.count, before, drain(Stream.CRITICAL)) == (3, 0, 1)


def test_grants_released_late_are_lost(settings):
    grant = reserve("ses", Stream.CRITICAL, 5)
    let_pass("ses", 5)
    full = drain(Stream.CRITICAL)
    release("ses", Stream.CRITICAL, budget.Grant(5, granted_at=grant.granted_at - 5_000_000), 5)
    assert full >= 6
    assert drain(Stream.CRITICAL) == 0


def test_pace_is_published_while_a_stream_is_held_back(settings):
    settings.EMAIL_STREAM_RATES = "bulk=4"
    reserve("ses", Stream.BULK, 2)
    assert client().get(pace_key("ses", Stream.BULK)) is None
    reserve("ses", Stream.BULK, 20)
    assert float(client().get(pace_key("ses", Stream.BULK))) == 4.0
    assert 1000 <= client().pttl(pace_key("ses", Stream.BULK)) <= 30_000
    assert client().get(pace_key("ses", Stream.CRITICAL)) is None


ASK = st.tuples(st.sampled_from(list(Stream)), st.integers(1, 40))
PASS = st.floats(0.001, 3.0)
STORY = st.lists(st.one_of(ASK, PASS), min_size=1, max_size=40)
FLOOR_TEXTS = st.sampled_from(["", "critical=0.5,default=0.2,bulk=0.1", "bulk=1", "critical=0.9,bulk=0.1"])


@hypothesis_settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rate=st.sampled_from([0.5, 3, 10, 50, 500]), floors=FLOOR_TEXTS, story=STORY)
def test_no_window_exceeds_rate_times_length_plus_burst(settings, rate, floors, story):
    client().flushdb()
    settings.EMAIL_RATE, settings.EMAIL_STREAM_FLOORS = str(rate), floors
    now, grants = 0.0, []
    for step in story:
        if isinstance(step, float):
            let_pass("ses", step)
            now += step
        else:
            grants.append((now, reserve("ses", *step).count))
    for start, (opened, _) in enumerate(grants):
        for stop in range(start, len(grants)):
            window = grants[stop][0] - opened
            assert sum(count for _, count in grants[start : stop + 1]) <= rate * window + burst(rate) + 1e-6


@hypothesis_settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    stream=st.sampled_from(list(Stream)), rate=st.sampled_from([3, 10, 50, 500]), order=st.permutations(list(Stream))
)
def test_stream_that_keeps_asking_gets_its_floor_whatever_the_order(settings, stream, rate, order):
    client().flushdb()
    settings.EMAIL_RATE = str(rate)
    for other in order:
        drain(other)
    granted = 0
    for _ in range(20):  # four seconds
        let_pass("ses", 0.2)
        took = {asking: drain(asking) for asking in order}
        granted += took[stream]
    assert granted >= int(FLOORS[stream] * rate * 4)


def test_many_threads_together_keep_to_the_rate(settings, monkeypatch, still):
    monkeypatch.setattr(scripts, "script", still)
    settings.EMAIL_RATE = "50"
    granted = []
    began = time.monotonic()

    def take():
        while time.monotonic() - began < 1.5:
            granted.append(reserve("ses", Stream.DEFAULT, 1).count)
            time.sleep(0.002)

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    assert sum(granted) <= 50 * took + burst(50)
    assert sum(granted) >= 50 * 1.5 * 0.9
