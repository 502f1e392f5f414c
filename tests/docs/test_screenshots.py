"""Each screenshot is linked by a page."""

import re

from config.environment import BASE_DIR


def test_pages_link_to_each_screenshot():
    pages = [BASE_DIR / "README.md", *(BASE_DIR / "docs").rglob("*.md")]
    linked = {name for page in pages for name in re.findall(r"screenshots/([\w-]+\.png)", page.read_text())}
    assert linked == {screenshot.name for screenshot in (BASE_DIR / "docs" / "screenshots").iterdir()}
