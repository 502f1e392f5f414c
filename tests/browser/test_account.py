"""Members change their account, with and without JavaScript."""

from uuid import uuid4

from playwright.sync_api import expect

from tests.browser.server_side import wait_for_email
from tests.browser.visitor import NEW_PASSWORD


def session_cookie(visitor):
    (cookie,) = [found for found in visitor.page.context.cookies() if found["name"] == "sessionid"]
    return cookie


def test_session_ends_with_the_browser_unless_remembered(visitor):
    visitor.become_a_member()
    assert session_cookie(visitor)["expires"] == -1
    visitor.log_out()
    visitor.go("/log-in/")
    visitor.page.locator("main [name=remember]").check()
    visitor.fill_in(username=visitor.address, password=visitor.password)
    visitor.submit()
    visitor.is_at("home")
    assert session_cookie(visitor)["expires"] > 0


def test_account_lists_its_emails_with_their_status(visitor):
    visitor.become_a_member()
    email = visitor.page.locator("ul.emails li")
    expect(email).to_have_count(1)
    visitor.until(lambda: visitor.go("/") and email.locator("[data-progress=delivered]").count())


def test_change_of_password(visitor):
    visitor.become_a_member()
    visitor.follow("/account/password/")
    visitor.fill_in(current_password="a wrong password", password=NEW_PASSWORD)
    visitor.submit()
    visitor.sees_error("current_password")
    visitor.fill_in(current_password=visitor.password, password=NEW_PASSWORD)
    visitor.submit()
    visitor.sees_notice("password-saved")
    wait_for_email(visitor, "password-changed")
    visitor.log_out()
    visitor.log_in(password=NEW_PASSWORD)
    visitor.is_at("home")


def test_change_of_address(visitor):
    visitor.become_a_member()
    old, new = visitor.address, f"countess-{uuid4().hex[:8]}@example.com"
    visitor.follow("/account/address/")
    visitor.fill_in(email=new, current_password=visitor.password)
    visitor.submit()
    visitor.page.get_by_role("status").get_by_text(new).wait_for()
    visitor.sees(old)
    visitor.open_email("/account/address/", to=new)
    visitor.is_at("address-confirm")
    visitor.submit()
    visitor.sees_notice("address-changed")
    wait_for_email(visitor, "address-changed", to=old)
    visitor.log_out()
    visitor.log_in(username=new)
    visitor.is_at("home")


def test_change_of_address_is_cancelled(visitor):
    visitor.become_a_member()
    new = f"mistyped_address-{uuid4().hex[:8]}@example.com"
    visitor.follow("/account/address/")
    visitor.fill_in(email=new, current_password=visitor.password)
    visitor.submit()
    link = visitor.link_in_email("/account/address/", to=new)
    visitor.submit("/account/address/stay/")
    visitor.page.get_by_role("status").get_by_text(visitor.address).wait_for()
    visitor.go(link)
    visitor.is_at("address-confirm-failed")


def test_preferences(visitor):
    visitor.become_a_member()
    visitor.follow("/account/preferences/")
    visitor.fill_in(name="Augusta")
    visitor.page.locator("main [name=wants_news]").uncheck()
    visitor.submit()
    visitor.sees_notice("preferences-saved")
    visitor.sees("Augusta")
    visitor.follow("/account/preferences/")
    expect(visitor.page.locator("main [name=wants_news]")).not_to_be_checked()


def test_deleted_account_gets_one_last_email(visitor):
    visitor.become_a_member()
    visitor.follow("/account/delete/")
    visitor.fill_in(current_password=visitor.password)
    visitor.submit()
    visitor.is_at("deleted")
    wait_for_email(visitor, "account-deleted")
    visitor.log_in()
    visitor.is_at("log-in")
    visitor.page.get_by_role("alert").wait_for()


def test_member_page_asks_to_log_in(visitor):
    visitor.go("/account/preferences/")
    visitor.is_at("log-in")
    assert "next=/account/preferences/" in visitor.page.url
