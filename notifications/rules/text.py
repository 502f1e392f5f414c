"""Normalize text as people type and paste it. Pure."""

import re
from unicodedata import category, normalize

# Pages and word processors insert soft hyphens, zero-width and no-break spaces, and some keyboards type full-width
# letters. Text that looks the same must be the same.

# Characters that change the direction of text: U+202E makes one name look like another.
BIDI = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Invisible, but letters or marks by category: Hangul fillers, inherent vowels of Khmer, joiners, variation selectors.
_FILLERS = frozenset("\ufe0e\ufe0f\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u180b\u180c\u180d\u180f")
# What no header holds, including Python's line breaks (\x0b, \x0c, \x1c-\x1e, \x85, U+2028, U+2029): its email package
# splits there.
BREAKS = re.compile("[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
# Neither fits into PostgreSQL's jsonb: https://www.postgresql.org/docs/current/datatype-json.html
UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
# Not line breaks: a caller that needs one line refuses those.
_SPACES = re.compile(r"[^\S\r\n\x0b\x0c\x1c-\x1f\x85\u2028\u2029]+")


def visible(text: str) -> str:
    # Without format characters and fillers, which have no shape.
    if text.isascii():
        return text
    return "".join(one for one in text if category(one) != "Cf" and one not in _FILLERS)


def one_form(text: str) -> str:
    """Return `text` in NFKC, without invisible characters, with single spaces. Line breaks stay."""
    return _SPACES.sub(" ", visible(normalize("NFKC", text))).strip(" ")


def prose(text: str) -> str:
    """Return a text of several words or lines as its author sees it.

    In NFC, without the invisible characters that pasting adds. Joiners of emoji and scripts stay, and so does the
    no-break space.
    """
    return re.sub("[\u00ad\u200b\u2060\ufeff]", "", normalize("NFC", text))


def one_line(text: str) -> str:
    return _SPACES.sub(" ", prose(text)).strip(" ")
