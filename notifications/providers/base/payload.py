"""Parse the bytes of any webhook into JSON that can be stored."""

import hashlib
import json
import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from notifications.providers.base.webhook import CannotVerifyError, InvalidSignatureError, MalformedError
from notifications.rules.text import UNSTORABLE

# Longer than any provider retries (SendGrid a day, SNS and Postmark less). The event's id detects newer repetitions.
OLDEST = timedelta(hours=48)
CLOCKS_DIFFER_BY = timedelta(minutes=15)

# Documented events are four levels deep.
DEEPEST = 12
CUT_OFF = "…"
# Spam filters quote links, and ours may contain a token.
LINK = re.compile(r"(https?://[^\s/?#<>\"']*)[^\s<>\"']*", re.IGNORECASE)


def parsed(raw: bytes | str) -> Any:
    """Return the JSON in `raw`, with None for NaN and infinities. Raises MalformedError."""
    try:
        return json.loads(raw, parse_constant=lambda name: None)
    except (ValueError, RecursionError):
        pass
    # Raised outside the handler: json's exception contains the whole document.
    raise MalformedError("not JSON")


def storable(value: Any, levels: int = DEEPEST) -> Any:
    # Without characters that PostgreSQL rejects and paths of links (they may contain tokens), and of limited depth.
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict | list) and not levels:
        return CUT_OFF
    if isinstance(value, dict):
        return {storable_text(name): storable(one, levels - 1) for name, one in value.items()}
    if isinstance(value, list):
        return [storable(one, levels - 1) for one in value]
    return value


def storable_text(text: str) -> str:
    if "://" in text:
        text = LINK.sub(rf"\1/{CUT_OFF}", text)
    return text if text.isascii() and "\x00" not in text else UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def fingerprint(kept: Any) -> str:
    # The id of an event without one: the same for each repetition of the content.
    canonical = json.dumps(kept, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def refuse_stale(sent_at: datetime) -> None:
    """Refuse an old signature with InvalidSignatureError, a future one with CannotVerifyError.

    A time in the future suggests that our clock is wrong, which an operator can fix while the provider retries.
    """
    age = datetime.now(UTC) - sent_at
    if age > OLDEST:
        raise InvalidSignatureError("signed too long ago")
    if age < -CLOCKS_DIFFER_BY:
        raise CannotVerifyError("signed in the future, by our clock")
