import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

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


LABELS = st.text("abzAZ09-_.+é", max_size=6)
SUFFIXES = st.sampled_from(["com", "test", "invalid", "c0m", "1", "xn--p1ai", "arpa", "local", ""])
SPECIAL = {"news", "Postmaster", "a" * 64, "a" * 65, "a..b", ".a", "-a", "a.", "_"}


def by_the_library(raw):
    try:
        return validate_email(raw, check_deliverability=False, allow_smtputf8=False, strict=True).ascii_email
    except EmailNotValidError:
        return None


@given(st.one_of(LABELS, st.sampled_from(sorted(SPECIAL))), LABELS, LABELS, SUFFIXES)
@example("a", "b" * 64, "c", "com")
@example("a" * 60, ".".join(["b" * 60] * 3), "cccccccc", "com")
@example("a" * 60, ".".join(["b" * 60] * 3), "ccccccccc", "com")
@example("a", "ab--c", "d", "com")
def test_plain_address_is_accepted_exactly_if_the_library_accepts_it(local, label, other, suffix):
    raw = f"{local}@{label}.{other}.{suffix}"
    try:
        accepted = one_address(raw)
    except BadAddressError:
        accepted = None
    assert accepted == by_the_library(raw)
