"""What people were told, and how it is found in a provider's journal. Pure."""

import math
from collections.abc import Sequence
from datetime import datetime

# What a mail is, by the beginning of its subject: the journal is read as a stranger would read it, without our rows.
SUBJECTS = {
    "Welcome": "welcome",
    "Choose a new password": "password-reset",
    "Your password for": "password-changed",
    "You already have an account": "account-exists",
}
OTHER = "product-news"

# The kind of a mail, and the address it goes to.
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
