import pytest

from notifications.rules.addresses import BadAddressError, one_address


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("ada@example.com", "ada@example.com"),
        ("Ada.Lovelace+tag@Example.COM", "Ada.Lovelace+tag@example.com"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
    ],
)
def test_one_address_is_returned_in_ascii(raw, expected):
    assert one_address(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "a@example.com, b@example.com",
        "a@example.com;b@example.com",
        "a@example.com\nBcc: b@example.com",
        "a@example.com\r\nb@example.com",
        "a@exa mple.com",
        "Ada <ada@example.com>",
        "jörg@example.com",
        "ada@localhost",
        "ada@[127.0.0.1]",
        "a\x00@example.com",
        "x" * 65 + "@example.com",
        "a@" + "x" * 300 + ".com",
    ],
)
def test_anything_but_one_address_is_refused_and_not_repeated(raw):
    with pytest.raises(BadAddressError) as caught:
        one_address(raw)
    assert "example" not in str(caught.value)
