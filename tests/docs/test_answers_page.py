"""docs/reference/provider-answers.md is what the tables say."""

from config.environment import BASE_DIR
from notifications.operations.answers_page import page


def test_page_is_current():
    # If this fails: manage.py answers_page --write
    assert (BASE_DIR / "docs/reference/provider-answers.md").read_text() == page()
