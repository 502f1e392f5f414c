import pytest

from notifications.delivery.relevance import Facts, why_not
from notifications.rules.states import Event


@pytest.mark.parametrize(
    ("facts", "event", "reason"),
    [
        (Facts(expired=True), Event.OUTLIVED, "time was over"),
        (Facts(user_gone=True), Event.UNWANTED, "no account with this address"),
        (Facts(forgotten=True, broken="KeyError"), Event.UNWANTED, "it was forgotten"),
        (Facts(user_inactive=True), Event.UNWANTED, "account is closed"),
        (Facts(address_changed=True), Event.UNWANTED, "no longer the account's"),
        (Facts(superseded=True), Event.UNWANTED, "newer one"),
        (Facts(flooded=True), Event.UNWANTED, "too many of its kind"),
        (Facts(wanted=False), Event.UNWANTED, "no longer needed"),
        (Facts(user_gone=True, expired=True), Event.UNWANTED, "no account with this address"),
    ],
)
def test_skipped_with_a_reason(facts, event, reason):
    skip = why_not(facts)
    assert skip is not None
    assert (skip.event, reason in skip.reason) == (event, True)


def test_sent_when_nothing_speaks_against_it():
    assert why_not(Facts()) is None
