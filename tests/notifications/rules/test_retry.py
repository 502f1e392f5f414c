from dataclasses import replace
from datetime import timedelta

import pytest

from accounts.emails import PASSWORD_RESET, WELCOME
from notifications.rules.retry import (
    REFUSED,
    SPENT,
    ErrorClass,
    GiveUp,
    Limits,
    Retry,
    TooLate,
    Tries,
    Uncertain,
    decide,
)

HOUR, DAY = 3600, 86400


def limits_of(kind):
    return Limits(attempts=kind.max_attempts, age_s=kind.max_age.total_seconds())


def after(error_class, attempts=1, *, kind=WELCOME, age_s=0.0, jitter=0.0, retry_after_s=None):
    return decide(
        error_class,
        limits_of(kind),
        tries=Tries(counted=attempts, made=attempts),
        age_s=age_s,
        retry_after_s=retry_after_s,
        jitter=jitter,
    )


@pytest.mark.parametrize(
    ("why", "error_class", "attempts", "jitter", "retry_after_s", "expected"),
    [
        ("first retry, least jitter", ErrorClass.TRANSIENT, 1, 0.0, None, Retry(1.0)),
        ("first retry, most jitter", ErrorClass.TRANSIENT, 1, 1.0, None, Retry(2.0)),
        ("after a probe that did not count", ErrorClass.TRANSIENT, 0, 1.0, None, Retry(2.0)),
        ("doubles", ErrorClass.TRANSIENT, 4, 1.0, None, Retry(16.0)),
        ("nine times", ErrorClass.TRANSIENT, 9, 1.0, None, Retry(512.0)),
        ("the provider's wait is the minimum", ErrorClass.RATE_LIMITED, 1, 0.0, 30.0, Retry(30.0)),
        ("a shorter wait is ignored", ErrorClass.RATE_LIMITED, 4, 1.0, 1.0, Retry(16.0)),
        ("a broken set-up closes its provider, not the others", ErrorClass.MISCONFIGURED, 1, 1.0, None, Retry(2.0)),
        ("at most an hour", ErrorClass.MISCONFIGURED, 12, 1.0, None, Retry(3600.0)),
        ("refused permanently", ErrorClass.PERMANENT, 1, 0.0, None, GiveUp(REFUSED)),
        ("attempts are used up", ErrorClass.TRANSIENT, 10, 0.0, None, GiveUp(SPENT.format(tries=10))),
        ("rate limit costs no attempt", ErrorClass.RATE_LIMITED, 10, 1.0, None, Retry(1024.0)),
        ("set-up may be broken for long", ErrorClass.MISCONFIGURED, 5000, 1.0, None, Retry(3600.0)),
        ("perhaps sent: never automatically again", ErrorClass.AMBIGUOUS, 1, 0.0, None, Uncertain()),
        ("ambiguous at the last attempt", ErrorClass.AMBIGUOUS, 10, 0.0, None, Uncertain()),
    ],
)
def test_decision(why, error_class, attempts, jitter, retry_after_s, expected):
    assert after(error_class, attempts, jitter=jitter, retry_after_s=retry_after_s) == expected, why


@pytest.mark.parametrize(
    ("why", "error_class", "attempts", "age_s", "expected"),
    [
        ("at most a twelfth of max_age", ErrorClass.MISCONFIGURED, 9, 0, Retry(300.0)),
        ("just before the expiry", ErrorClass.MISCONFIGURED, 9, HOUR - 301, Retry(300.0)),
        ("expires before the next attempt", ErrorClass.MISCONFIGURED, 9, HOUR - 300, TooLate()),
        ("after few attempts", ErrorClass.TRANSIENT, 1, HOUR - 1, TooLate()),
        ("rate limited", ErrorClass.RATE_LIMITED, 1, HOUR, TooLate()),
        ("ambiguous after the expiry", ErrorClass.AMBIGUOUS, 1, DAY, Uncertain()),
    ],
)
def test_decision_of_a_kind_with_an_hour(why, error_class, attempts, age_s, expected):
    assert after(error_class, attempts, kind=PASSWORD_RESET, age_s=age_s, jitter=1.0) == expected, why


@pytest.mark.parametrize("error_class", [ErrorClass.TRANSIENT, ErrorClass.RATE_LIMITED, ErrorClass.MISCONFIGURED])
def test_pause_also_grows_with_forgiven_attempts(error_class):
    tries = Tries(counted=1, made=7)
    decision = decide(error_class, limits_of(WELCOME), tries=tries, age_s=0, retry_after_s=None, jitter=1.0)
    assert decision == Retry(128.0)


def test_limit_depends_on_the_kind():
    kind = replace(WELCOME, max_attempts=2)
    assert after(ErrorClass.TRANSIENT, 1, kind=kind, jitter=1.0) == Retry(2.0)
    assert after(ErrorClass.TRANSIENT, 2, kind=kind) == GiveUp(SPENT.format(tries=2))


def test_kind_of_a_few_seconds_is_still_retried():
    assert after(ErrorClass.TRANSIENT, kind=replace(WELCOME, max_age=timedelta(seconds=6)), jitter=1.0) == Retry(2.0)


@pytest.mark.parametrize("error_class", ErrorClass)
def test_every_error_class_has_a_decision_at_every_attempt(error_class):
    for attempts in range(30):
        assert isinstance(after(error_class, attempts), Retry | GiveUp | TooLate | Uncertain)
