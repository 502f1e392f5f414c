"""Stored contents: packed, unpacked, compared; addresses with names."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifications.rules.addresses import BadAddressError, NamedAddress, named_address
from notifications.rules.content import Attachment, Content, digest, packed, unpacked

TEXT = st.text(max_size=3)
PEOPLE = st.lists(st.builds(NamedAddress, TEXT, TEXT), max_size=2).map(tuple)
FILES = st.builds(Attachment, TEXT, st.binary(max_size=5), TEXT, TEXT)
CONTENTS = st.builds(
    Content,
    to_name=TEXT,
    to=PEOPLE,
    bcc=PEOPLE,
    headers=st.dictionaries(TEXT, TEXT, max_size=2),
    tags=st.lists(TEXT, max_size=2).map(tuple),
    attachments=st.lists(FILES, max_size=2).map(tuple),
    email=st.none() | st.dictionaries(TEXT, TEXT, min_size=1, max_size=2),
)


# A busy machine takes long to make two of them.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CONTENTS, CONTENTS)
def test_content_is_unpacked_as_it_was_and_its_digest_is_its_own(one, other):
    assert unpacked(packed(one)) == one
    assert (digest(one) == digest(other)) == (one == other)
    assert digest(one) == digest(unpacked(packed(one)))
    assert one.is_empty == (one == Content())


def test_order_of_headers_is_no_other_content():
    headers = {"X-A": "1", "X-B": "2"}
    assert digest(Content(headers=headers)) == digest(Content(headers=dict(reversed(headers.items()))))


def email_file(boundary, date, text):
    head = f"Subject: Hi\nDate: {date}\nMessage-ID: <{date}@x>\nMIME-Version: 1.0"
    return Attachment("a.eml", f"{head}\n\n--{boundary}\nDate: {text}".encode(), "message/rfc822")


def test_what_python_chooses_in_a_written_email_is_no_other_content():
    one, again, other = (
        digest(Content(attachments=(email_file(f"==============={number:019d}==", number, text),)))
        for number, text in ((1, "a"), (2, "a"), (2, "b"))
    )
    assert one == again != other


def test_type_of_a_file_follows_from_its_name():
    assert [Attachment(name, b"").mimetype for name in ("a.pdf", "a.png", "a")] == [
        "application/pdf",
        "image/png",
        "application/octet-stream",
    ]
    assert Attachment("a.pdf", b"", "text/plain").mimetype == "text/plain"


def test_size_counts_texts_and_files():
    content = Content(attachments=(Attachment("a", b"123"),))
    assert content.size == 3
    assert replace(content, email={"body": "x" * 100}).size > 103


@pytest.mark.parametrize(
    ("raw", "address", "name"),
    [
        ("ada@example.com", "ada@example.com", ""),
        ("Ada@Example.com", "Ada@example.com", ""),
        ("Ada Lovelace <ada@example.com>", "ada@example.com", "Ada Lovelace"),
        ('"Lovelace, Ada" <ada@example.com>', "ada@example.com", "Lovelace, Ada"),
        ("Dr. Ada L. <ada@example.com>", "ada@example.com", "Dr. Ada L."),
        ("Grüße <ada@bücher.example>", "ada@xn--bcher-kva.example", "Grüße"),
    ],
)
def test_address_may_have_a_name(raw, address, name):
    assert named_address(raw) == NamedAddress(address, name)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "Ada",
        "Ada <>",
        "a@example.com, b@example.com",
        "Ada <a@example.com>, b@example.com",
        "Ada\r\nBcc: eve@example.com <ada@example.com>",
        "Ada\u2028x <ada@example.com>",
        "Ada <ada@example.com> <eve@example.com>",
        "Ada <jörg@example.com>",
    ],
)
def test_anything_but_one_address_is_no_named_address(raw):
    with pytest.raises(BadAddressError):
        named_address(raw)
