"""Lifted addresses are removed from the providers' lists."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from notifications.events import lifting, suppress
from notifications.models import Suppression
from notifications.providers.base.sending import ProviderError
from notifications.rules.retry import ErrorClass
from notifications.rules.suppression import Reason
from tests.factories import UserFactory
from tests.scripted import ScriptedAccount

pytestmark = pytest.mark.django_db

HANGS = ProviderError(ErrorClass.AMBIGUOUS, "timeout")


@pytest.fixture
def account(registered):
    """A provider with a suppression list; a second one hangs."""
    account = ScriptedAccount()
    registered("scripted", account=lambda: account)
    return account


@pytest.fixture
def hanging(registered):
    account = ScriptedAccount(unsuppressed=HANGS)
    registered("hanging", account=lambda: account)
    return account


def lifted(count, provider="scripted", reason=Reason.HARD_BOUNCE):
    rows = [
        Suppression(address=f"{provider}{number}@example.com", reason=reason, provider=provider, lifted_at=Now())
        for number in range(count)
    ]
    return Suppression.objects.bulk_create(rows)


def pauses_pass():
    Suppression.objects.update(lift_after=Now())


@pytest.mark.django_db(transaction=True)
def test_each_address_is_removed_once_by_several_processes(account):
    lifted(12)

    def run(_):
        try:
            return lifting.lift_at_providers()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(run, range(4))) == 12
    assert len(account.asked) == len(set(account.asked)) == 12


def test_hanging_provider_is_called_once_a_run_and_delays_no_other(account, hanging):
    lifted(5, "hanging")
    lifted(3)
    assert lifting.lift_at_providers() == 3
    assert len(hanging.asked) == 1
    assert lifting.lift_at_providers() == 0
    assert len({address for address, _ in hanging.asked}) == 2


def test_run_ends_after_its_time_limit(account, monkeypatch):
    lifted(5)
    monkeypatch.setattr(lifting, "MOST_S", 0.0)
    assert lifting.lift_at_providers() == 0
    assert account.asked == []


def test_pauses_grow_and_end(hanging):
    lifted(1, "hanging")
    pauses = []
    for _ in range(lifting.MOST_TRIES):
        lifting.lift_at_providers()
        lifting.lift_at_providers()
        pauses.append(Suppression.objects.annotate(pause=F("lift_after") - Now()).get().pause.total_seconds())
        pauses_pass()
    assert [round(pause / 30) for pause in pauses[:5]] == [1, 2, 4, 8, 16]
    rounded = [round(pause) for pause in pauses]
    assert sorted(rounded) == rounded
    assert timedelta(hours=20) < timedelta(seconds=sum(pauses)) < timedelta(days=3)
    assert len(hanging.asked) == lifting.MOST_TRIES
    said = Suppression.objects.get().provider_lift
    assert said == lifting.GIVEN_UP.format(provider="hanging", tries=lifting.MOST_TRIES, error="ambiguous: timeout")
    lifting.lift_at_providers()
    assert len(hanging.asked) == lifting.MOST_TRIES


def test_provider_gets_the_lifted_reason(account):
    lifted(1, reason=Reason.UNSUBSCRIBED)
    lifting.lift_at_providers()
    assert account.asked == [("scripted0@example.com", Reason.UNSUBSCRIBED)]


def test_address_that_is_back_on_our_list_stays_on_the_providers(account):
    (row,) = lifted(1)
    suppress.suppress(row.address, Reason.COMPLAINT, "")
    assert lifting.lift_at_providers() == 1
    Suppression.objects.update(provider_lift="", lift_after=None)
    suppress.suppress(row.address, Reason.HARD_BOUNCE, "")
    assert lifting.lift_at_providers() == 0


def test_lift_by_an_operator_reaches_the_provider(account):
    Suppression.objects.create(address="ada@example.com", reason=Reason.COMPLAINT, provider="scripted")
    assert lifting.lift_at_providers() == 0
    assert suppress.lift(Suppression.objects.get(), UserFactory(), "they called")
    assert lifting.lift_at_providers() == 1
