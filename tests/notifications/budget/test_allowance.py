"""The grants of one task: asked for when none is left, and given back at the end."""

import pytest

from notifications.budget import grants
from notifications.budget.allowance import Allowance
from notifications.budget.grants import Grant
from notifications.rules.states import Stream


@pytest.fixture
def budget(monkeypatch):
    """Collect what is asked for and given back; grant at most `most` a time."""
    calls = []

    def reserve(provider, stream, wanted):
        count = min(wanted, budget.most)
        calls.append(("asked", wanted))
        return Grant(count, (1.0,) * (wanted - count), granted_at=7)

    def release(provider, stream, grant, unused):
        if unused:
            calls.append(("released", unused))

    def budget():
        return calls

    budget.most = 100
    monkeypatch.setattr(grants, "reserve", reserve)
    monkeypatch.setattr(grants, "release", release)
    return budget


def test_grants_are_used_one_by_one_and_the_rest_is_given_back(budget):
    allowance = Allowance("scripted", Stream.BULK)
    assert allowance.ask(3).count == 3
    for _ in range(4):
        assert allowance.has_some(2)
        allowance.use()
    assert allowance.granted_at == 7
    allowance.end()
    allowance.end()
    assert budget() == [("asked", 3), ("asked", 2), ("released", 1)]


def test_without_a_grant_nothing_may_be_used(budget):
    budget.most = 0
    allowance = Allowance("scripted", Stream.BULK)
    assert not allowance.has_some(2)
    # The next group asks again.
    assert not allowance.has_some(2)
    allowance.end()
    assert budget() == [("asked", 2)]


def test_one_call_uses_the_grants_of_its_recipients(budget):
    allowance = Allowance("scripted", Stream.BULK)
    allowance.ask(10)
    allowance.use(8)
    allowance.end()
    assert budget() == [("asked", 10), ("released", 2)]
