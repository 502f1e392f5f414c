"""Parse texts of servers: find the enhanced status code (RFC 3463), remove personal data."""

import re
from collections.abc import Iterable

LONGEST = 200
# A server may send a text of any length, and each search in it costs time.
LONGEST_READ = 2000
REMOVED = "…"

# Neither a version number nor an IP address: the subject is 0 to 7, and nothing follows the third number.
_STATUS = r"(?<![\d.])([245]\.[0-7]\.\d{1,3})(?![\d.]\d)"
_FIRST = re.compile(rf"^\s*(?:\w+;\s*)?(?:\d{{3}}[ -]+)?#?{_STATUS}")
_ANYWHERE = re.compile(_STATUS)

_ADDRESS = re.compile(r"""<?[^\s<>()\[\]{},;:"'@]+@[^\s<>()\[\]{},;:"'@]+>?""")
_URL = re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)
# Keys, signatures and servers' message numbers.
_TOKEN = re.compile(r"\b(?=[\w+/=.-]*\d)[\w+/=.-]{20,}")
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_HOST = re.compile(r"(?<![\w.-])(?:[a-z0-9-]+\.)+[a-z]{2,}(?![\w-])")
# In a reply of several lines, each begins with code and status.
_REPEATED = re.compile(rf"(?<=\s)\d{{3}}[ -]{_STATUS}\s")
_AT_A_LINE = re.compile(rf"\n\s*(?:\d{{3}}[ -])?{_STATUS}(?=\s)")
SHORTEST_SECRET = 3


def status_of(text: str) -> str:
    # "" if there is none.
    found = _FIRST.search(text) or _ANYWHERE.search(text)
    return found.group(1) if found else ""


def worded(text: str) -> str:
    # One line without addresses and host names: words in them are their owners'.
    line = _AT_A_LINE.sub(" ", text[:LONGEST_READ])
    for pattern in (_URL, _ADDRESS, _HOST):
        line = pattern.sub(REMOVED, line)
    return " ".join(line.split())


def sentence(text: str, private: Iterable[str] = ()) -> str:
    # One printable line without addresses, links, long tokens and `private`.
    line = _UNPRINTABLE.sub(" ", text[:LONGEST_READ])
    folded = _folded(line)
    for secret in sorted({word.strip() for word in private}, key=len, reverse=True):
        # A batch has thousands of words, and a search for each costs 0.1 ms.
        if len(secret) >= SHORTEST_SECRET and _folded(secret) in folded:
            line = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", REMOVED, line, flags=re.IGNORECASE)
    for pattern in (_URL, _ADDRESS, _TOKEN):
        line = pattern.sub(REMOVED, line)
    line = _REPEATED.sub("", line).strip()
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}{REMOVED}"


def _folded(text: str) -> str:
    # Equal for all texts that a search ignoring case considers equal: "i" has two more letters there.
    return text.casefold().replace("\u0307", "").replace("\N{LATIN SMALL LETTER DOTLESS I}", "i")
