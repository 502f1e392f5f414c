"""The data of the embedded PostgreSQL and its folder."""

import shutil

import pytest

from devtools.stack.ports import free_port
from devtools.stack.postgres import Postgres


@pytest.fixture
def folder(tmp_path):
    yield tmp_path / "postgres"
    Postgres(tmp_path / "postgres", free_port()).destroy()


def test_server_starts_after_its_checkout_was_deleted_and_cloned_again(folder):
    # For root the data is outside of the deleted folder, in which the password was.
    with Postgres(folder, free_port(), durable=False) as first:
        first.create_database()
    shutil.rmtree(folder)
    with Postgres(folder, free_port(), durable=False) as again:
        assert again.answers()


def test_restarted_server_has_its_data(folder):
    with Postgres(folder, free_port(), durable=False) as first:
        first.create_database()
        data = first.data
    created = (data / "PG_VERSION").stat().st_mtime_ns
    with Postgres(folder, free_port(), durable=False) as again:
        assert again.answers()
    assert (data / "PG_VERSION").stat().st_mtime_ns == created
