"""What tests read from the how-to pages."""

import re
import textwrap
from typing import Any

from config.environment import BASE_DIR

FOLDER = BASE_DIR / "docs" / "how-to"
_BLOCK = re.compile(r"(?:^ {4,}.*\n|\n)+", re.MULTILINE)


def text_of(page: str) -> str:
    return (FOLDER / page).read_text()


def blocks(page: str) -> list[str]:
    """Return the examples of code, without their indentation."""
    found = [textwrap.dedent(block).strip() for block in _BLOCK.findall(text_of(page))]
    return [block for block in found if block]


def block(page: str, part: str) -> str:
    """Return the one example that contains `part`."""
    (found,) = [each for each in blocks(page) if part in each]
    return found


def rows(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the table whose first row contains `heading`."""
    lines = text_of(page).splitlines()
    at = next(place for place, line in enumerate(lines) if line.lstrip().startswith("|") and heading in line) + 2
    found = []
    while at < len(lines) and lines[at].lstrip().startswith("|"):
        found.append([cell.strip() for cell in lines[at].strip().strip("|").split("|")])
        at += 1
    return found


def execute(code: str, **names: Any) -> dict[str, Any]:
    """Run an example with these names, and return them with those that it defines."""
    exec(compile(code, "a page", "exec"), names)  # noqa: S102 - our own page
    return names
