"""The page after a sign-up: the live state of one's own mail, another mail, another address."""

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
    expect(visitor.page.locator("[aria-current=step]")).to_have_attribute("data-step", "sent")
    visitor.look_again_until("delivered")


def test_inbox_page_sees_that_the_address_is_confirmed_elsewhere(visitor):
    visitor.sign_up()
    link = visitor.link_in_mail("/confirm/")
    with visitor.page.context.browser.new_context(viewport=PHONE) as elsewhere:
        phone = elsewhere.new_page()
        phone.goto(link)
        phone.locator("main [name=password]").fill(visitor.password)
        phone.locator("main form:not([action]) [type=submit]").click()
        # A page that is closed on its way to the next one may hang.
        phone.locator("body[data-page=home]").wait_for()
    visitor.look_again_until("confirmed")


def test_refused_mail_leads_to_another_address(visitor):
    right = visitor.address
    visitor.sign_up(slip())
    visitor.look_again_until("refused")
    visitor.follow("/check-inbox/correct/")
    visitor.fill_in(email=right, password=NEW_PASSWORD)
    visitor.submit()
    visitor.is_at("check-inbox")
    visitor.address, visitor.password = right, NEW_PASSWORD
    visitor.confirm()
    visitor.is_at("home")


def test_mail_is_sent_once_more_after_a_pause(visitor):
    visitor.sign_up()
    visitor.link_in_mail("/confirm/")
    if visitor.javascript:
        expect(visitor.button("/check-inbox/again/")).to_be_disabled()
    else:
        visitor.submit("/check-inbox/again/")
        visitor.is_told("resend-too-soon")
    let_the_pause_pass(visitor)
    visitor.go("/check-inbox/")
    visitor.submit("/check-inbox/again/")
    visitor.is_told("resent")
    visitor.go(visitor.link_in_mail("/confirm/"))
    visitor.submit()
    visitor.is_told("address-confirmed")


def test_link_whose_time_is_over_is_exchanged_for_a_new_one(visitor):
    visitor.sign_up()
    visitor.go(stale_link(visitor))
    visitor.is_at("confirm-expired")
    visitor.submit("/confirm/again/")
    visitor.is_at("confirm-again-done")
    visitor.confirm()


def test_link_that_was_cut_is_exchanged_for_a_new_one(visitor):
    visitor.sign_up()
    link = visitor.link_in_mail("/confirm/")
    visitor.go(link[:-8] + "/")
    visitor.is_at("confirm-failed")
    visitor.fill_in(email=visitor.address)
    visitor.submit("/confirm/again/")
    visitor.confirm()


def test_used_link_says_that_all_is_done(visitor):
    visitor.sign_up()
    link = visitor.link_in_mail("/confirm/")
    visitor.go(link)
    visitor.submit()
    visitor.is_told("address-confirmed")
    visitor.go(link)
    visitor.is_at("confirmed")


def test_who_has_an_account_hears_it_by_mail_only(visitor):
    visitor.become_a_member()
    visitor.log_out()
    visitor.sign_up(visitor.address)
    visitor.is_at("check-inbox")
    wait_for_mail(visitor, "account-exists")
    visitor.look_again_until("delivered")
