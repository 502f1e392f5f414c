"""`prove` runs this site's sign-up under faults, and says what it lacks."""

import pytest

from accounts.models import User
from notifications.runtime import redis_client
from notifications.testing import BrokenPromiseError, CannotProveError, prove

TRANSACTIONAL = pytest.mark.django_db(transaction=True)


def sign_up(address):
    User.objects.create_user(email=address, password="correct horse battery")


@TRANSACTIONAL
@pytest.mark.live
@pytest.mark.long
@pytest.mark.timeout(600)
def test_sign_up_is_proved(valkey, capsys):
    proof = prove(sign_up, kind="welcome", people=30)
    assert (proof.comparison.accepted, proof.comparison.lost, proof.comparison.unexplained) == (30, [], [])
    assert proof.uncertain_settled > 0
    assert str(proof) in capsys.readouterr().out


@TRANSACTIONAL
@pytest.mark.live
@pytest.mark.long
@pytest.mark.timeout(600)
def test_code_that_loses_an_email_is_found_out(valkey):
    def forgetful(address):
        if "-3@" not in address:
            sign_up(address)

    with pytest.raises(BrokenPromiseError, match=r"lost=1.*\n1 lost: person-3@"):
        prove(forgetful, kind="welcome", people=6)


@pytest.mark.django_db
def test_test_that_does_not_commit_is_refused(valkey):
    with pytest.raises(CannotProveError, match="transaction=True"):
        prove(sign_up, kind="welcome")


@TRANSACTIONAL
def test_foreign_keys_in_redis_are_refused(valkey):
    redis_client.client().set("session:1", "of another application")
    redis_client.client().set("mailroom:sentinel", "")
    with pytest.raises(CannotProveError, match=r"\b1 other"):
        prove(sign_up, kind="welcome")
    assert redis_client.client().get("session:1")


@TRANSACTIONAL
def test_missing_redis_is_named(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with pytest.raises(CannotProveError, match="REDIS_URL"):
        prove(sign_up, kind="welcome")
