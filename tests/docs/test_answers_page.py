"""docs/reference/provider-answers.md matches the tables."""

from config.environment import BASE_DIR
from devtools.pages.answers import page


def test_page_is_current():
    # If this fails: make pages
    assert (BASE_DIR / "docs/reference/provider-answers.md").read_text() == page()
