"""The links of the documentation are valid, and decisions are short."""

import re

import pytest

from config.environment import BASE_DIR

TOP = [BASE_DIR / "README.md", BASE_DIR / "CONTRIBUTING.md", BASE_DIR / "CHANGELOG.md"]
PAGES = [*TOP, *sorted((BASE_DIR / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(page):
    """Return GitHub's anchors for a page's headings."""
    names = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(page.read_text()))
    return {name.replace(" ", "-") for name in names}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_are_valid(page):
    for target, anchor in LINK.findall(page.read_text()):
        there = page.parent / target if target else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), f"{target}#{anchor}"


@pytest.mark.parametrize(
    "page", sorted((BASE_DIR / "docs" / "decisions").glob("[0-9]*.md")), ids=lambda page: page.name
)
def test_decision_is_short(page):
    assert len(page.read_text().splitlines()) <= 15


def test_start_page_links_to_every_page():
    start = BASE_DIR / "docs" / "README.md"
    linked = {(start.parent / target).resolve() for target, _ in LINK.findall(start.read_text())}
    pages = {page for page in PAGES if page.is_relative_to(start.parent) and page.parent.name != "decisions"}
    assert pages - linked == {start}
