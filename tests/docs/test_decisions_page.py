"""docs/decisions/README.md lists each decision with its number and title."""

import re

from config.environment import BASE_DIR

FOLDER = BASE_DIR / "docs" / "decisions"
ROW = re.compile(r"^- (\d+\. )\[(.+)\]\((.+)\)$", re.MULTILINE)


def test_index_lists_each_decision_by_its_title():
    listed = {name: number + title for number, title, name in ROW.findall((FOLDER / "README.md").read_text())}
    titles = {page.name: page.read_text().splitlines()[0].removeprefix("# ") for page in FOLDER.glob("[0-9]*.md")}
    assert listed == titles
