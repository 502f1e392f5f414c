"""Migrations that only change labels run no statement, so they need no maintenance window."""

from io import StringIO

import pytest
from django.core.management import call_command

pytestmark = [pytest.mark.long, pytest.mark.django_db]


@pytest.mark.parametrize(
    ("app", "name"),
    [("notifications", "0020_labels"), ("notifications", "0021_more_labels"), ("accounts", "0009_labels")],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_labels_change_nothing_in_the_database(app, name, backwards):
    printed = StringIO()
    call_command("sqlmigrate", app, name, backwards=backwards, stdout=printed)
    lines = [line for line in printed.getvalue().splitlines() if line and not line.startswith("--")]
    assert set(lines) <= {"BEGIN;", "COMMIT;"}
