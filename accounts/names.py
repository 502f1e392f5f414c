"""Decide what may be a user's name. Pure. Emails greet by it, so it is no place for an advertisement."""

import re
from unicodedata import category

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from notifications import BIDI, one_form

MAX_LENGTH = 50
# The middle dots stand in Catalan names, and between the parts of foreign names in Chinese and Japanese.
_BESIDE_LETTERS = frozenset(" '-.\u2019\u00b7\u30fb")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# "bit.ly": programs make a link of whatever has a dot with a word right behind. Initials ("J.R.R. Tolkien") have none.
# Marks are left out before: vowels of many scripts are marks, and "example.c\u0301om" reads as a link too.
_LINK = re.compile(r"(?i)\.[^\W\d_]{2}|://|\bwww\.")
# More on one letter is no spelling: they would cover the lines around.
_MARKS_ON_A_LETTER = 4
_APOSTROPHES = str.maketrans({"\u00b4": "\u2019", "\u02b9": "\u2019", "\u2018": "\u2019", "\u201b": "\u2019"})
_HYPHENS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "-"))


def normalize_name(text: str) -> str:
    # One kind of apostrophe beside the typewriter's, and one hyphen.
    # Before NFKC, which makes a space and an accent of an apostrophe.
    return one_form(text.translate(_APOSTROPHES).translate(_HYPHENS))


def check_name(text: str) -> None:
    """Raise ValidationError unless `text` has only letters of any script, ' - and ."""
    if BIDI.search(text) or _CONTROL.search(text):
        raise ValidationError(_("Please leave out line breaks and control characters."), code="control_characters")
    text = normalize_name(text)
    if len(text) > MAX_LENGTH:
        raise ValidationError(
            _("This name is too long: at most %(limit)d characters."), code="max_length", params={"limit": MAX_LENGTH}
        )
    if _LINK.search("".join(one for one in text if category(one)[0] != "M")):
        raise ValidationError(_("Names can't contain links."), code="link")
    if text and not _is_shaped_like_a_name(text):
        raise ValidationError(_("A name has letters, spaces, hyphens, apostrophes and dots only."), code="characters")


def _is_shaped_like_a_name(text: str) -> bool:
    kinds = "".join("." if one in _BESIDE_LETTERS else category(one)[0] for one in text)
    return "L" in kinds and set(kinds) <= set("LM.") and "M" * (_MARKS_ON_A_LETTER + 1) not in kinds
