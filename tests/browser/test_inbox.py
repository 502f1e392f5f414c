"""The page after a sign-up: live status, another email, another address."""

from uuid import uuid4

from playwright.sync_api import expect

from tests.browser.looks import PHONE
from tests.browser.server_side import skip_pause, stale_link, wait_for_email
from tests.browser.visitor import NEW_PASSWORD


def mistyped_address() -> str:
    """Return an address that the simulator bounces."""
    return f"bounce-{uuid4().hex[:8]}@example.com"


def test_inbox_page_follows_the_email(visitor):
    visitor.running.simulator.set_controls(latency_ms=2000)
    visitor.sign_up()
    expect(visitor.page.locator("[aria-current=step]")).to_have_attribute("data-step", "sent")
    visitor.wait_for_progress("delivered")


def test_inbox_page_shows_a_confirmation_in_another_browser(visitor):
    visitor.sign_up()
    link = visitor.link_in_email("/confirm/")
    with visitor.page.context.browser.new_context(viewport=PHONE) as elsewhere:
        phone = elsewhere.new_page()
        phone.goto(link)
        phone.locator("main [name=password]").fill(visitor.password)
        phone.locator("main form:not([action]) [type=submit]").click()
        # Closing a page during navigation may hang.
        phone.locator("body[data-page=home]").wait_for()
    visitor.wait_for_progress("confirmed")


def test_bounced_email_leads_to_another_address(visitor):
    right = visitor.address
    visitor.sign_up(mistyped_address())
    visitor.wait_for_progress("refused")
    visitor.follow("/check-inbox/correct/")
    visitor.fill_in(email=right, password=NEW_PASSWORD)
    visitor.submit()
    visitor.is_at("check-inbox")
    visitor.address, visitor.password = right, NEW_PASSWORD
    visitor.confirm()
    visitor.is_at("home")


def test_email_is_resent_after_a_pause(visitor):
    visitor.sign_up()
    visitor.link_in_email("/confirm/")
    if visitor.javascript:
        expect(visitor.button("/check-inbox/again/")).to_be_disabled()
    else:
        visitor.submit("/check-inbox/again/")
        visitor.sees_notice("resend-too-soon")
    skip_pause(visitor)
    visitor.go("/check-inbox/")
    visitor.submit("/check-inbox/again/")
    visitor.sees_notice("resent")
    visitor.go(visitor.link_in_email("/confirm/"))
    visitor.submit()
    visitor.sees_notice("address-confirmed")


def test_expired_link_leads_to_a_new_one(visitor):
    visitor.sign_up()
    visitor.go(stale_link(visitor))
    visitor.is_at("confirm-expired")
    visitor.submit("/confirm/again/")
    visitor.is_at("confirm-again-done")
    visitor.confirm()


def test_truncated_link_leads_to_a_new_one(visitor):
    visitor.sign_up()
    link = visitor.link_in_email("/confirm/")
    visitor.go(link[:-8] + "/")
    visitor.is_at("confirm-failed")
    visitor.fill_in(email=visitor.address)
    visitor.submit("/confirm/again/")
    visitor.confirm()


def test_used_link_shows_that_the_address_is_confirmed(visitor):
    visitor.sign_up()
    link = visitor.link_in_email("/confirm/")
    visitor.go(link)
    visitor.submit()
    visitor.sees_notice("address-confirmed")
    visitor.go(link)
    visitor.is_at("confirmed")


def test_existing_account_is_reported_by_email_only(visitor):
    visitor.become_a_member()
    visitor.log_out()
    visitor.sign_up(visitor.address)
    visitor.is_at("check-inbox")
    wait_for_email(visitor, "account-exists")
    visitor.wait_for_progress("delivered")
