import pytest

from notifications.delivery.relevance import (
    ACCOUNT_CLOSED,
    ADDRESS_CHANGED,
    ERASED,
    FLOODED,
    NO_ACCOUNT,
    NOT_IN_ONLY_TO,
    NOT_NEEDED,
    SUPERSEDED,
    TOO_LATE,
    Facts,
    Skip,
    skip_reason,
)
from notifications.rules.shadow import COMPARED
from notifications.rules.states import Event


@pytest.mark.parametrize(
    ("facts", "event", "reason"),
    [
        (Facts(expired=True), Event.EXPIRED, TOO_LATE),
        (Facts(user_gone=True), Event.CANCELLED, NO_ACCOUNT),
        (Facts(anonymized=True, broken="KeyError"), Event.CANCELLED, ERASED),
        (Facts(user_inactive=True), Event.CANCELLED, ACCOUNT_CLOSED),
        (Facts(address_changed=True), Event.CANCELLED, ADDRESS_CHANGED),
        (Facts(superseded=True), Event.CANCELLED, SUPERSEDED),
        (Facts(flooded=True), Event.CANCELLED, FLOODED),
        (Facts(is_relevant=False), Event.CANCELLED, NOT_NEEDED),
        (Facts(withheld=True, suppressed="complaint", expired=True), Event.CANCELLED, NOT_IN_ONLY_TO),
        (Facts(user_gone=True, expired=True), Event.CANCELLED, NO_ACCOUNT),
        (Facts(is_copy=True), Event.CANCELLED, COMPARED),
        (Facts(is_copy=True, expired=True), Event.EXPIRED, TOO_LATE),
    ],
)
def test_skipped_with_a_reason(facts, event, reason):
    assert skip_reason(facts) == Skip(event, reason)


def test_message_without_a_reason_to_skip_is_sent():
    assert skip_reason(Facts()) is None
