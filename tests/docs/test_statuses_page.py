"""docs/reference/statuses-and-outcomes.md has a row for each status and outcome, and its transitions."""

import re

from config.environment import BASE_DIR
from notifications.rules.outcomes import Outcome
from notifications.rules.states import TRANSITIONS, Status

PAGE = (BASE_DIR / "docs/reference/statuses-and-outcomes.md").read_text()


def rows(heading):
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| `\w+` \|.*\|$", section, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_each_status_has_a_row_with_what_to_do():
    assert [row[0] for row in rows("Statuses")] == [f"`{status}`" for status in Status]
    assert all(all(row) for row in rows("Statuses"))


def test_each_status_names_the_statuses_that_may_follow():
    for name, _, _, following in rows("Statuses"):
        targets = {after for after in TRANSITIONS[Status(name.strip("`"))].values() if isinstance(after, Status)}
        assert re.findall(r"\w+", following) == [status for status in Status if status in targets]


def test_each_outcome_has_a_row_with_what_to_do():
    by_row = [row[0] for row in rows("Outcomes")]
    assert by_row == [f"`{outcome}`" for outcome in Outcome]
    assert all(all(row) for row in rows("Outcomes"))
