"""Who gets email while a staging guard is on, as a table."""

import pytest

from notifications.rules.guard import Guard, canonical_recipient

LISTED = ["ada@example.com", "@shop.example", "Bücher.example", "nonsense"]
BOX = "Box@dev.example"
PASSES, IS_REDIRECTED, IS_WITHHELD = "passes", "is redirected", "is withheld"


def fate(guard, address):
    if guard.redirects(address):
        return IS_REDIRECTED
    return IS_WITHHELD if guard.withholds(address) else PASSES


@pytest.mark.parametrize(
    ("address", "off", "listed", "redirected", "both"),
    [
        ("ada@example.com", PASSES, PASSES, IS_REDIRECTED, PASSES),
        ("ADA@Example.com", PASSES, PASSES, IS_REDIRECTED, PASSES),
        ("anyone@shop.example", PASSES, PASSES, IS_REDIRECTED, PASSES),
        ("anyone@xn--bcher-kva.example", PASSES, PASSES, IS_REDIRECTED, PASSES),
        ("bob@example.com", PASSES, IS_WITHHELD, IS_REDIRECTED, IS_REDIRECTED),
        # Neither a subdomain nor an address that ends alike.
        ("bob@mail.shop.example", PASSES, IS_WITHHELD, IS_REDIRECTED, IS_REDIRECTED),
        ("bob@othershop.example", PASSES, IS_WITHHELD, IS_REDIRECTED, IS_REDIRECTED),
        ("eve+ada@example.com", PASSES, IS_WITHHELD, IS_REDIRECTED, IS_REDIRECTED),
        ("box@dev.example", PASSES, IS_WITHHELD, PASSES, PASSES),
    ],
)
def test_table(address, off, listed, redirected, both):
    guards = [Guard(), Guard.of(LISTED, ""), Guard.of([], BOX), Guard.of(LISTED, BOX)]
    assert [fate(guard, address) for guard in guards] == [off, listed, redirected, both]
    assert [guard.is_on for guard in guards] == [False, True, True, True]


@pytest.mark.parametrize("unusable", ["nonsense@", "a b", "ada@example.com, bob@example.com"])
def test_unusable_settings_let_nothing_through(unusable):
    assert canonical_recipient(unusable) == ""
    assert fate(Guard.of([unusable], ""), "ada@example.com") == IS_WITHHELD
    assert fate(Guard.of([], unusable), "ada@example.com") == IS_REDIRECTED


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Ada@Example.com", "ada@example.com"),
        ("@example.com", "example.com"),
        ("Bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_form_is_that_of_stored_addresses(text, form):
    assert canonical_recipient(text) == form
