"""docs/how-to/answer-users.md names each code of an explanation."""

import re

from config.environment import BASE_DIR
from notifications.support.diagnosis import Situation

PAGE = (BASE_DIR / "docs/how-to/answer-users.md").read_text()


def test_page_names_each_code():
    assert set(Situation) <= set(re.findall(r"`([a-z-]+)`", PAGE))
