"""The embedded PostgreSQL's data and the folder that belongs to it."""

import shutil

import pytest

from devtools.stack.ports import free_port
from devtools.stack.postgres import Postgres


@pytest.fixture
def folder(tmp_path):
    yield tmp_path / "postgres"
    Postgres(tmp_path / "postgres", free_port()).destroy()


def test_server_of_a_checkout_that_was_deleted_and_cloned_again_starts(folder):
    """As root the data lies elsewhere and stays; its password went with the folder."""
    with Postgres(folder, free_port(), durable=False) as first:
        first.create_database()
    shutil.rmtree(folder)
    with Postgres(folder, free_port(), durable=False) as again:
        assert again.answers()


def test_server_that_is_started_again_has_its_data(folder):
    with Postgres(folder, free_port(), durable=False) as first:
        first.create_database()
        data = first.data
    created = (data / "PG_VERSION").stat().st_mtime_ns
    with Postgres(folder, free_port(), durable=False) as again:
        assert again.answers()
    assert (data / "PG_VERSION").stat().st_mtime_ns == created
