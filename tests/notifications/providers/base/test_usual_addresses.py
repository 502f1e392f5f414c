"""Addresses parsed without the email package: the same as Anymail reads them."""

import pytest
from anymail.backends.postmark import PostmarkPayload
from anymail.backends.sendgrid import SendGridPayload
from anymail.exceptions import AnymailInvalidAddress
from anymail.utils import parse_address_list
from hypothesis import example, given
from hypothesis import strategies as st

from notifications.providers.base import usual_addresses
from notifications.providers.base.compose import person_header
from notifications.providers.base.usual_addresses import parse_addresses, with_usual_addresses

LOCALS = st.from_regex(r"[A-Za-z0-9_+'=&-]{1,8}(\.[A-Za-z0-9_+-]{1,8}){0,2}", fullmatch=True)
DOMAINS = st.sampled_from(["example.com", "mail.example.com", "xn--bcher-kva.example.com"])
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=20)


def parts(parsed):
    return [(one.display_name, one.username, one.domain, one.address) for one in parsed]


@given(NAMES, LOCALS, DOMAINS)
@example("", "ada", "example.com")
@example("Ada Lovelace", "ada", "example.com")
@example("Ada, Canary 🎩", "ada.canary", "example.com")
@example('Ada "Countess" Lovelace', "ada", "example.com")
@example("=?utf-8?q?Ada?=", "ada", "example.com")
def test_recipient_is_the_same_as_anymails(name, local, domain):
    header = person_header(name, f"{local}@{domain}")
    assert parts(parse_addresses([header])) == parts(parse_address_list([header]))
    assert parts(parse_addresses(header)) == parts(parse_address_list(header))


@given(st.lists(st.text(alphabet='ab .@<>"\\,;:()é\t-', max_size=14), max_size=2))
@example(['" a" <a@b>'])
@example(['"a<b@c>" <a@b>'])
@example(["a@b, a@b"])
@example(["a  b <a@b>"])
@example(["a <a@b"])
def test_any_text_is_read_as_anymail_reads_it(headers):
    try:
        expected = parts(parse_address_list(headers))
    except AnymailInvalidAddress:
        with pytest.raises(AnymailInvalidAddress):
            parse_addresses(headers)
    else:
        assert parts(parse_addresses(headers)) == expected


@pytest.mark.parametrize("header", ["ada@example.com", "Ada Lovelace <ada@example.com>", '"Ada L." <ada@example.com>'])
def test_usual_forms_need_no_parser(monkeypatch, header):
    monkeypatch.delattr(usual_addresses, "parse_address_list")
    assert [one.addr_spec for one in parse_addresses([header])] == ["ada@example.com"]


@pytest.mark.parametrize("payload", [SendGridPayload, PostmarkPayload])
def test_payload_reads_sender_and_recipient_with_it(payload):
    assert {name for name, _, read in with_usual_addresses(payload) if read is parse_addresses} >= {"from_email", "to"}
