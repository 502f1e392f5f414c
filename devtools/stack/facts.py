"""Facts that the site acknowledged, how a provider's journal shows them, and percentiles. Pure."""

import math
from collections.abc import Sequence
from datetime import datetime

# The kind of an email by the start of its subject: the journal is read without our rows.
SUBJECTS = {
    "Confirm your email address": "welcome",
    "Reset your password": "password-reset",
    "Your password for": "password-changed",
    "You already have an account": "account-exists",
}
OTHER = "product-news"

# The kind of an email, and its recipient.
Fact = tuple[str, str]


def kind_of(subject: str) -> str:
    return next((kind for start, kind in SUBJECTS.items() if subject.startswith(start)), OTHER)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` (0 to 1) of the values do not exceed; 0 for none."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else 0.0


def epoch(text: str) -> float:
    """Return the seconds since 1970 of a time as the simulator writes it."""
    return datetime.fromisoformat(text).timestamp()
