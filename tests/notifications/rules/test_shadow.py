"""Which emails Mailroom sends during a trial, and what differs between two emails."""

from itertools import pairwise

import pytest

from notifications.rules.shadow import differing_parts, is_switched

ADDRESSES = [f"user{number}@example.com" for number in range(2000)]


def ours(percent):
    return {address for address in ADDRESSES if is_switched(address, percent)}


def test_no_address_moves_back_while_the_percentage_grows():
    chosen = [ours(percent) for percent in (0, 1, 10, 50, 99, 100)]
    assert all(before <= after for before, after in pairwise(chosen))
    assert (chosen[0], chosen[-1]) == (set(), set(ADDRESSES))
    assert 150 < len(chosen[2]) < 250


def test_spelling_of_an_address_does_not_matter():
    assert {is_switched(address, 50) for address in ("Ada@Example.com", "ada@example.com")} == {
        is_switched("ADA@EXAMPLE.COM", 50)
    }


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({}, {}, []),
        ({"header Subject": "1", "part 1": "2"}, {"part 1": "2", "header Subject": "1"}, []),
        ({"header Subject": "1"}, {"header Subject": "2"}, ["header Subject differs"]),
        ({"part 2": "1"}, {}, ["part 2 is missing"]),
        ({}, {"header X-Tag": "1"}, ["header X-Tag was added"]),
    ],
)
def test_differences_name_the_part(old, new, found):
    assert differing_parts(old, new) == found
