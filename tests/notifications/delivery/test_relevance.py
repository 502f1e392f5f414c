import pytest

from notifications.delivery.relevance import Facts, skip_reason
from notifications.rules.states import Event


@pytest.mark.parametrize(
    ("facts", "event", "reason"),
    [
        (Facts(expired=True), Event.EXPIRED, "time was over"),
        (Facts(user_gone=True), Event.CANCELLED, "no account with this address"),
        (Facts(anonymized=True, broken="KeyError"), Event.CANCELLED, "it was anonymized"),
        (Facts(user_inactive=True), Event.CANCELLED, "account is closed"),
        (Facts(address_changed=True), Event.CANCELLED, "no longer the account's"),
        (Facts(superseded=True), Event.CANCELLED, "newer one"),
        (Facts(flooded=True), Event.CANCELLED, "too many of its kind"),
        (Facts(wanted=False), Event.CANCELLED, "no longer needed"),
        (Facts(user_gone=True, expired=True), Event.CANCELLED, "no account with this address"),
    ],
)
def test_skipped_with_a_reason(facts, event, reason):
    skip = skip_reason(facts)
    assert skip is not None
    assert (skip.event, reason in skip.reason) == (event, True)


def test_sent_when_nothing_speaks_against_it():
    assert skip_reason(Facts()) is None
