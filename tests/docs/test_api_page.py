"""docs/reference/api.md has a row for each public name."""

import re

import notifications
import notifications.testing
from config.environment import BASE_DIR

PAGE = (BASE_DIR / "docs/reference/api.md").read_text()


def test_each_public_name_has_a_row():
    firsts = re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
    named = re.findall(r"`(\w+)[^`]*`", " ".join(firsts))
    assert sorted(named) == sorted([*notifications.__all__, *notifications.testing.__all__])
