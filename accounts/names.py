"""Validate a user's name. Emails contain it, so it must not carry links or advertising."""

import re
from unicodedata import category

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from notifications import BIDI, one_form

MAX_LENGTH = 50
# Middle dots occur in Catalan names, and in Chinese and Japanese spellings of foreign names.
_PUNCTUATION = frozenset(" '-.\u2019\u00b7\u30fb")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Email programs turn "bit.ly" into a link: a dot with a word right behind. Initials ("J.R.R. Tolkien") do not match.
# Combining marks are removed first: "example.c\u0301om" reads as a link too.
_LINK = re.compile(r"(?i)\.[^\W\d_]{2}|://|\bwww\.")
# More marks would cover the neighbouring lines.
_MARKS_ON_A_LETTER = 4
_APOSTROPHES = str.maketrans({"\u00b4": "\u2019", "\u02b9": "\u2019", "\u2018": "\u2019", "\u201b": "\u2019"})
_HYPHENS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "-"))


def normalize_name(text: str) -> str:
    # Unifies apostrophes and hyphens, before NFKC turns an apostrophe into a space and an accent.
    return one_form(text.translate(_APOSTROPHES).translate(_HYPHENS))


def check_name(text: str) -> None:
    """Raise ValidationError unless the name has only letters of any script, spaces and punctuation."""
    if BIDI.search(text) or _CONTROL.search(text):
        raise ValidationError(_("Please remove line breaks and control characters."), code="control_characters")
    text = normalize_name(text)
    if len(text) > MAX_LENGTH:
        raise ValidationError(
            _("This name is too long: at most %(limit)d characters."), code="max_length", params={"limit": MAX_LENGTH}
        )
    if _LINK.search("".join(char for char in text if category(char)[0] != "M")):
        raise ValidationError(_("Names can't contain links."), code="link")
    if text and not _is_shaped_like_a_name(text):
        message = _("Names can contain only letters, spaces, hyphens, apostrophes and dots.")
        raise ValidationError(message, code="characters")


def _is_shaped_like_a_name(text: str) -> bool:
    kinds = "".join("." if char in _PUNCTUATION else category(char)[0] for char in text)
    return "L" in kinds and set(kinds) <= set("LM.") and "M" * (_MARKS_ON_A_LETTER + 1) not in kinds
