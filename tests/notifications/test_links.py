"""The links of public pages: signed, and without an end."""

from datetime import timedelta

import pytest
import time_machine
from django.core import signing
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from notifications import links
from notifications.checks import unsubscribe_links

ADDRESS = "ada@example.com"


def token_of(address=ADDRESS):
    return links.unsubscribe_url(address).split("/")[-2]


@pytest.mark.parametrize("address", [ADDRESS, "Ada.O'Neil+news@bücher.example.com", f"{'a' * 64}@{'b' * 250}.example"])
def test_link_belongs_to_one_address_in_any_case(address):
    assert links.unsubscribing_address(token_of(address)) == address.lower()
    assert links.unsubscribe_url(address) == links.unsubscribe_url(address.upper())
    assert links.unsubscribe_url(address).startswith("http://127.0.0.1:8000/unsubscribe/")
    assert links.unsubscribe_url(address).isascii()


def test_link_works_for_years():
    token = token_of()
    with time_machine.travel(timezone.now() + timedelta(days=800)):
        assert links.unsubscribing_address(token) == ADDRESS


def test_link_survives_the_rotation_of_the_key(settings):
    token = token_of()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new key" * 10, [settings.SECRET_KEY]
    assert links.unsubscribing_address(token) == ADDRESS
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(links.BadLinkError):
        links.unsubscribing_address(token)


@given(st.integers(0, 200), st.characters(codec="ascii", categories=["L", "N"]))
def test_changed_link_is_bad(place, character):
    token = token_of()
    place %= len(token)
    changed = token[:place] + character + token[place + 1 :]
    if changed != token:
        with pytest.raises(links.BadLinkError):
            links.unsubscribing_address(changed)


@pytest.mark.parametrize("value", ["text", 7, None, ["a@example.com"], ["a@example.com", "default"], {"a": 1, "b": 2}])
def test_token_of_another_form_is_bad(value):
    with pytest.raises(links.BadLinkError):
        links.unsubscribing_address(signing.Signer(salt="notifications.unsubscribe").sign_object(value))


@pytest.mark.parametrize(
    "token",
    ["", "x", ":", "::::", links.DEAD_TOKEN, "é", pytest.param(signing.dumps([ADDRESS, "bulk"]), id="other salt")],
)
def test_other_text_is_bad(token):
    with pytest.raises(links.BadLinkError):
        links.unsubscribing_address(token)


def test_project_without_the_urls_has_no_links_and_a_warning(settings):
    assert list(unsubscribe_links(None)) == []
    settings.ROOT_URLCONF = "accounts.urls"
    assert links.unsubscribe_url(ADDRESS) == ""
    assert [found.id for found in unsubscribe_links(None)] == ["mailroom.W020"]
