import pytest

from config import capacity


def found(databases):
    return [warning.id for warning in capacity.room_for_connections(None, databases=databases)]


@pytest.mark.django_db
@pytest.mark.parametrize(("wanted", "ids"), [(10, []), (100_000, ["mailroom.W010"])])
def test_processes_that_can_use_up_the_connections_are_found(monkeypatch, wanted, ids):
    monkeypatch.setattr(capacity, "most_connections", lambda environment: wanted)
    assert found(["default"]) == ids


def test_database_is_asked_only_when_databases_are_checked():
    assert found(None) == []
