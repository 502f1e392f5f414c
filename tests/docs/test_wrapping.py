"""The prose of the documents is wrapped; tables and code are not."""

import re

import pytest

from config.environment import BASE_DIR

LONGEST = 120
TOP = [BASE_DIR / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES = [*TOP, *sorted((BASE_DIR / "docs").rglob("*.md"))]
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
TABLE_OR_CODE = re.compile(r"\||    ")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_prose_is_wrapped(page):
    lines = FENCED.sub("", page.read_text()).splitlines()
    assert not [line for line in lines if len(line) > LONGEST and not TABLE_OR_CODE.match(line)]
