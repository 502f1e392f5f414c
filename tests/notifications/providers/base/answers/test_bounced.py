"""What the recipient's server says about the address, in replies and reports."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.providers.base.answers import about_address, sentence, status_of
from notifications.rules.outcomes import BounceKind

HARD, SOFT, BLOCKED = BounceKind.HARD, BounceKind.SOFT, BounceKind.BLOCKED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("smtp; 550 5.1.1 user unknown", HARD),
        ("5.1.1", HARD),
        ("550 5.1.10 not found", HARD),
        ("550-5.2.1 The email account that you tried to reach is disabled.", HARD),
        ("smtp;550 No such user here", HARD),
        ("552 5.2.2 mailbox full", SOFT),
        ("452 4.2.2 mailbox full", SOFT),
        ("4.1.1 unverified", SOFT),
        ("552 over quota", SOFT),
        ("550 5.7.1 blocked", BLOCKED),
        ("550-5.7.26 unauthenticated", BLOCKED),
        ("550 5.7.606 banned", BLOCKED),
        ("552 5.3.4 too large", BLOCKED),
        ("550 4.4.7 expired", BLOCKED),
        ("5.4.4", BLOCKED),
        ("554 5.6.0 content", BLOCKED),
        ("550 5.1.8 bad sender", BLOCKED),
        ("554 5.2.252 send as denied", BLOCKED),
        ("554 blocked using a list", BLOCKED),
        ("550-5.2.1 The user you are trying to contact is receiving mail at a rate that prevents more", SOFT),
        ("550 5.1.0 <a@b.example> sender rejected", BLOCKED),
        ("550 5.1.0 Address rejected", HARD),
        ("550 5.1.90 daily limit reached", BLOCKED),
        ("550 <mailbox-full@spam.example>: no such user", HARD),
        ("550 <spam.policy@blocked.example> no", None),
        ("500 no", None),
        ("5.0.0", None),
        ("550 5.5.0 Requested action not taken", None),
        ("", None),
        # Neither a version number nor an IP address is a status.
        ("220 mx.example Exim 4.96.2", None),
        ("550 no from 5.1.1.1", None),
    ],
)
def test_words_about_an_address(text, expected):
    assert about_address(text) is expected


def test_first_clear_text_decides():
    assert about_address("smtp; 550 5.7.1 blocked", "5.1.1") is BLOCKED
    assert about_address("not sent", "5.1.1") is HARD
    assert about_address("5.0.0", "550 5.1.1 unknown") is HARD


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5.7.1 no", "5.7.1"),
        ("smtp; 550 5.1.1 no", "5.1.1"),
        ("550-5.7.26 x", "5.7.26"),
        ("#5.1.0 no", "5.1.0"),
        ("no", ""),
    ],
)
def test_status(text, expected):
    assert status_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5.1.1 <ada@example.com>: User unknown", "5.1.1 …: User unknown"),
        ("no 'ada@example.com', sorry", "no '…', sorry"),
        ("see https://x.example/?p=1 now", "see … now"),
        ("bad key SG.abcdefgh1234567890abcdef", "bad key …"),
        ("line\r\n550 5.1.1 line", "line line"),
        ("User ADA unknown", "User … unknown"),
        ("Canada is far", "Canada is far"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_sentence_is_one_line_without_personal_data(text, expected):
    assert sentence(text, ["ada"]) == expected


@pytest.mark.parametrize("text", ["a" * 200_000, "5.1.1 " + "a@" * 100_000, "a." * 100_000, "over " * 50_000])
def test_text_of_any_length_is_cut(text):
    assert len(sentence(text)) <= 200
    about_address(text)


ALIKE = "iI\u0130\u0131kK\u212asS\u017f\u00df\u1e9e\u00b5\u03bc\u03a3\u03c2\u03c3\u0307 "


@given(text=st.text(ALIKE, max_size=12), word=st.text(ALIKE.strip(), min_size=3, max_size=4))
@settings(max_examples=300)
def test_private_word_is_removed_in_any_case(text, word):
    pattern = rf"(?<!\w){re.escape(word)}(?!\w)"
    assert not re.search(pattern, sentence(text, [word]), re.IGNORECASE)
