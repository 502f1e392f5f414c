import pytest

from notifications.delivery.retry import GiveUp, Retry, Uncertain, decide
from notifications.providers.mail import ErrorClass


def after(error_class, attempts=1, *, jitter=0.0, wish=None, most=10):
    return decide(error_class, attempts=attempts, max_attempts=most, provider_wish_s=wish, jitter=jitter)


@pytest.mark.parametrize(
    ("why", "error_class", "attempts", "jitter", "wish", "expected"),
    [
        ("first retry, least jitter", ErrorClass.TRANSIENT, 1, 0.0, None, Retry(1.0)),
        ("first retry, most jitter", ErrorClass.TRANSIENT, 1, 1.0, None, Retry(2.0)),
        ("doubles", ErrorClass.TRANSIENT, 4, 1.0, None, Retry(16.0)),
        ("never above an hour", ErrorClass.TRANSIENT, 9, 1.0, None, Retry(512.0)),
        ("the provider's wish is the least", ErrorClass.RATE_LIMITED, 1, 0.0, 30.0, Retry(30.0)),
        ("a small wish does not hurry us", ErrorClass.RATE_LIMITED, 4, 1.0, 1.0, Retry(16.0)),
        ("a set-up takes a person to mend", ErrorClass.MISCONFIGURED, 1, 1.0, None, Retry(30.0)),
        ("an hour at most", ErrorClass.MISCONFIGURED, 9, 1.0, None, Retry(3600.0)),
        ("refused for good", ErrorClass.PERMANENT, 1, 0.0, None, GiveUp("refused for good")),
        ("attempts are spent", ErrorClass.TRANSIENT, 10, 0.0, None, GiveUp("10 attempts are spent")),
        ("a quota takes as long as it takes", ErrorClass.RATE_LIMITED, 10, 1.0, None, Retry(1024.0)),
        ("so does a person", ErrorClass.MISCONFIGURED, 5000, 1.0, None, Retry(3600.0)),
        ("perhaps sent: never again on its own", ErrorClass.AMBIGUOUS, 1, 0.0, None, Uncertain()),
        ("perhaps sent, also at the last attempt", ErrorClass.AMBIGUOUS, 10, 0.0, None, Uncertain()),
    ],
)
def test_decision(why, error_class, attempts, jitter, wish, expected):
    assert after(error_class, attempts, jitter=jitter, wish=wish) == expected, why


@pytest.mark.parametrize("error_class", ErrorClass)
def test_every_error_class_has_a_decision_at_every_attempt(error_class):
    for attempts in range(1, 30):
        assert isinstance(after(error_class, attempts, most=25), Retry | GiveUp | Uncertain)
