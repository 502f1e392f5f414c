"""docs/tutorial.md changes few lines of a project, and the README shows the first of them."""

import pytest

from config.environment import BASE_DIR
from tests.adopt.adopting import edits
from tests.adopt.projects import NEW, WITH_ALLAUTH
from tests.adopt.test_tutorial import MOST_LINES

FIRST_LINES = 5


@pytest.mark.parametrize("foreign", [NEW, WITH_ALLAUTH], ids=lambda foreign: foreign.name)
def test_few_lines_change(foreign):
    changed = [edit.changed_lines for edit in edits(1) if not edit.condition or edit.condition in foreign.applies]
    assert FIRST_LINES < sum(changed) <= MOST_LINES


def test_conditions_are_those_of_the_projects():
    assert {edit.condition for edit in edits(1)} - {""} == NEW.applies | WITH_ALLAUTH.applies


def test_readme_shows_the_first_lines():
    first = edits(1)[0].text
    assert len(first.splitlines()) == FIRST_LINES
    readme = "".join(line.strip() + "\n" for line in (BASE_DIR / "README.md").read_text().splitlines())
    assert first in readme
