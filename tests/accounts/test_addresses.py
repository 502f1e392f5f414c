import pytest
from django.core.exceptions import ValidationError

from accounts.addresses import MAX_LENGTH, canonical_address, mailbox_of


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("ada@example.com", "ada@example.com"),
        ("Ada.Lovelace@Example.COM", "ada.lovelace@example.com"),
        ("ada+news@example.com", "ada+news@example.com"),
        ("o'brien@example.com", "o'brien@example.com"),
        ("info@bücher.example", "info@xn--bcher-kva.example"),
        ("info@BÜCHER.example", "info@xn--bcher-kva.example"),
        ("info@xn--bcher-kva.example", "info@xn--bcher-kva.example"),
    ],
)
def test_address_is_normalized(typed, stored):
    assert canonical_address(typed) == stored
    assert canonical_address(stored) == stored


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("ada", "no_at_sign"),
        ("ada@exa mple.com", "spaces"),
        ("ada@example.com,bob@example.com", "several"),
        ("ada@example.com;bob@example.com", "several"),
        ("Ada <ada@example.com>", "not_alone"),
        ("ada@example.com\nbcc: bob@example.com", "control_characters"),
        ("ada@example.com\r\n", "control_characters"),
        ("ada\x00@example.com", "control_characters"),
        ("ada@localhost", "invalid"),
        ("ada@[127.0.0.1]", "invalid"),
        ("ädå@example.com", "invalid"),
        ('"ada lovelace"@example.com', "spaces"),
        ("ada..b@example.com", "invalid"),
        ("@example.com", "invalid"),
        ("ada@", "invalid"),
        ("ada@example.com" + "x" * MAX_LENGTH, "max_length"),
        ("a" * 65 + "@example.com", "invalid"),
    ],
)
def test_invalid_value_is_rejected_with_a_reason(typed, code):
    with pytest.raises(ValidationError) as refusal:
        canonical_address(typed)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("ada@example.com", "ada@example.com"),
        ("ada+news@example.com", "ada@example.com"),
        ("ada+a+b@example.com", "ada@example.com"),
        ("a.da@example.com", "a.da@example.com"),
        ("+ada@example.com", "+ada@example.com"),
        ("a.d.a+x@gmail.com", "ada@gmail.com"),
        ("a.da@googlemail.com", "ada@gmail.com"),
        ("ada@pm.me", "ada@proton.me"),
        ("ada@me.com", "ada@icloud.com"),
        ("ada@notgmail.com", "ada@notgmail.com"),
    ],
)
def test_mailbox_of_an_address(address, mailbox):
    assert mailbox_of(address) == mailbox
