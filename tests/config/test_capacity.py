import pytest

from config import capacity


def found(databases):
    return [warning.id for warning in capacity.room_for_connections(None, databases=databases)]


@pytest.mark.django_db
@pytest.mark.parametrize(("wanted", "ids"), [(10, []), (100_000, ["mailroom.W010"])])
def test_too_many_possible_connections_are_reported(monkeypatch, wanted, ids):
    monkeypatch.setattr(capacity, "most_connections", lambda environment: wanted)
    assert found(["default"]) == ids


def test_database_is_queried_only_by_database_checks():
    assert found(None) == []
