"""Readers leave bulk email by its link or their email program, and come back; a page shows an email's progress."""

import re

import pytest
import requests
from playwright.sync_api import expect

from notifications.links import ONE_CLICK
from tests.browser.server_side import announce, progress_token, unsubscribe_path, wait_for_email


@pytest.fixture
def reader(visitor):
    """A member who wants news and has got some."""
    visitor.go("/sign-up/")
    visitor.page.locator("main [name=wants_news]").check()
    visitor.fill_in(email=visitor.address, password=visitor.password)
    visitor.submit()
    visitor.confirm()
    announce(visitor)
    return visitor


def sees(visitor, subscription):
    expect(visitor.page.locator("main [data-subscription]")).to_have_attribute("data-subscription", subscription)


def is_ticked(visitor):
    visitor.go("/account/preferences/")
    return visitor.page.locator("main [name=wants_news]").is_checked()


def test_link_of_an_email_unsubscribes_and_subscribes_again(reader):
    assert is_ticked(reader)
    link = reader.link_in_email("/unsubscribe/")
    reader.go(link)
    sees(reader, "subscribed")
    for subscription in ("unsubscribed", "subscribed"):
        reader.submit()
        sees(reader, subscription)
        reader.page.reload()
        sees(reader, subscription)
        assert is_ticked(reader) is (subscription == "subscribed")
        reader.go(link)


def test_button_of_an_email_program_unsubscribes(reader):
    wait_for_email(reader, "product-news")
    (news,) = [email for email in reader.running.simulator.messages(to=reader.address) if email["subject"] == "News"]
    link = re.fullmatch("<(.*)>", news["headers"]["List-Unsubscribe"])[1]
    answer = requests.post(link, ONE_CLICK, headers={"Content-Type": "application/x-www-form-urlencoded"}, timeout=10)
    assert (answer.status_code, answer.history) == (200, [])
    assert not is_ticked(reader)
    reader.go(link)
    sees(reader, "unsubscribed")


def test_choice_in_the_preferences_is_that_of_the_page(reader):
    reader.go("/account/preferences/")
    reader.page.locator("main [name=wants_news]").uncheck()
    reader.submit()
    reader.sees_notice("preferences-saved")
    reader.log_out()
    reader.go(unsubscribe_path(reader))
    sees(reader, "unsubscribed")


def test_wrong_address_is_corrected_on_the_engines_page(visitor):
    # The last email to a deleted account has no account.
    visitor.become_a_member()
    visitor.go("/account/delete/")
    visitor.fill_in(current_password=visitor.password)
    visitor.submit()
    wait_for_email(visitor, "account-deleted")
    visitor.go(f"/email-progress/{progress_token(visitor, 'account-deleted')}/address/")
    visitor.is_at("email-address")
    visitor.fill_in(address=f"right-{visitor.address}")
    visitor.submit()
    visitor.is_at("landing")
    wait_for_email(visitor, "account-deleted", to=f"right-{visitor.address}")
