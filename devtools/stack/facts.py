"""Facts that the site acknowledged, how to read them in a provider's journal, and percentiles."""

import math
import re
from collections.abc import Sequence
from datetime import datetime

from config.environment import BASE_DIR

OTHER = "product-news"
_TAG, _VARIABLE = re.compile(r"{%.*?%}"), re.compile(r"{{.*?}}")

# The kind of an email, and its recipient.
Fact = tuple[str, str]


def _pattern(template: str) -> re.Pattern[str]:
    parts = _VARIABLE.split(_TAG.sub("", template).strip())
    return re.compile(".+".join(map(re.escape, parts)))


# A kind is known by its subject, because the checker does not use the rows of the database.
SUBJECTS = {
    path.parent.name: _pattern(path.read_text(encoding="utf-8"))
    for path in sorted((BASE_DIR / "templates" / "emails").glob("*/subject.txt"))
    if path.parent.name != OTHER
}


def kind_of(subject: str) -> str:
    return next((kind for kind, pattern in SUBJECTS.items() if pattern.fullmatch(subject)), OTHER)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else 0.0


def epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
