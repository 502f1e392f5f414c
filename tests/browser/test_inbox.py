"""The page after a sign-up: the live state of one's own mail, another mail, another address."""

import re
from uuid import uuid4

from playwright.sync_api import expect

from tests.browser.behind import let_the_pause_pass, stale_link, wait_for_mail
from tests.browser.looks import PHONE
from tests.browser.visitor import NEW_PASSWORD


def slip() -> str:
    """An address whose mailbox the simulator plays as one that does not exist."""
    return f"bounce-{uuid4().hex[:8]}@example.com"


def test_inbox_page_follows_the_mail(visitor):
    visitor.running.simulator.set_controls(latency_ms=2000)
    visitor.sign_up()
    expect(visitor.page.locator("[aria-current=step]")).to_have_text(re.compile("Sending"))
    visitor.look_again_until("Sent")
    visitor.look_again_until("Delivered")


def test_inbox_page_sees_that_the_address_is_confirmed_elsewhere(visitor):
    visitor.sign_up()
    link = visitor.link_in_mail("/confirm/")
    with visitor.page.context.browser.new_context(viewport=PHONE) as elsewhere:
        phone = elsewhere.new_page()
        phone.goto(link)
        phone.locator("main [name=password]").fill(visitor.password)
        phone.get_by_role("button", name="Confirm", exact=True).click()
        # A page that is closed on its way to the next one may hang.
        phone.get_by_role("heading", name="Hello").wait_for()
    visitor.look_again_until("Your address is confirmed. Welcome!")


def test_refused_mail_leads_to_another_address(visitor):
    right = visitor.address
    visitor.sign_up(slip())
    visitor.look_again_until("We couldn't deliver to")
    visitor.follow("Change address")
    visitor.fill_in(email=right, password=NEW_PASSWORD)
    visitor.press("Send to this address")
    visitor.reads("Check your inbox")
    visitor.address, visitor.password = right, NEW_PASSWORD
    visitor.confirm()
    visitor.reads("Hello, Ada Lovelace")


def test_mail_is_sent_once_more_after_a_pause(visitor):
    visitor.sign_up()
    visitor.link_in_mail("/confirm/")
    if visitor.javascript:
        expect(visitor.page.get_by_role("button", name=re.compile("Resend in [0-9]+ s"))).to_be_disabled()
    else:
        visitor.press("Resend")
        visitor.sees(re.compile("Please wait [0-9]+ seconds."))
    let_the_pause_pass(visitor)
    visitor.go("/check-inbox/")
    visitor.press("Resend")
    visitor.sees("We're sending it again.")
    visitor.go(visitor.link_in_mail("/confirm/"))
    visitor.press("Confirm")
    visitor.sees("Your address is confirmed. Welcome!")


def test_link_whose_time_is_over_is_exchanged_for_a_new_one(visitor):
    visitor.sign_up()
    visitor.go(stale_link(visitor))
    visitor.reads("This link no longer works")
    visitor.sees("has expired")
    visitor.press("Send me a new link")
    visitor.reads("Check your inbox")
    visitor.confirm()


def test_link_that_was_cut_is_exchanged_for_a_new_one(visitor):
    visitor.sign_up()
    link = visitor.link_in_mail("/confirm/")
    visitor.go(link[:-8] + "/")
    visitor.reads("This link no longer works")
    visitor.fill_in(email=visitor.address)
    visitor.press("Send me a new link")
    visitor.confirm()


def test_used_link_says_that_all_is_done(visitor):
    visitor.sign_up()
    link = visitor.link_in_mail("/confirm/")
    visitor.go(link)
    visitor.press("Confirm")
    visitor.sees("Your address is confirmed. Welcome!")
    visitor.go(link)
    visitor.reads("Your address is confirmed")


def test_who_has_an_account_hears_it_by_mail_only(visitor):
    visitor.become_a_member()
    visitor.log_out()
    visitor.sign_up(visitor.address)
    visitor.reads("Check your inbox")
    wait_for_mail(visitor, "account-exists")
    visitor.look_again_until("Delivered")
