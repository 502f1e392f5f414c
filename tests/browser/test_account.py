"""What members do with their account, with JavaScript and without."""

from uuid import uuid4

from playwright.sync_api import expect

from tests.browser.behind import wait_for_mail
from tests.browser.visitor import NEW_PASSWORD


def session_cookie(visitor):
    (cookie,) = [one for one in visitor.page.context.cookies() if one["name"] == "sessionid"]
    return cookie


def test_log_in_ends_with_the_browser_unless_it_should_not(visitor):
    visitor.become_a_member()
    assert session_cookie(visitor)["expires"] == -1
    visitor.log_out()
    visitor.go("/log-in/")
    visitor.page.get_by_label("Keep me logged in on this device").check()
    visitor.fill_in(username=visitor.address, password=visitor.password)
    visitor.press("Log in")
    visitor.reads("Hello, Ada Lovelace")
    assert session_cookie(visitor)["expires"] > 0


def test_account_lists_its_mail_with_its_state(visitor):
    visitor.become_a_member()
    mail = visitor.page.get_by_role("list", name="Emails we sent you").get_by_role("listitem").first
    expect(mail).to_contain_text("Confirm your address")
    visitor.until(lambda: visitor.go("/") and "delivered" in mail.inner_text())


def test_change_of_password(visitor):
    visitor.become_a_member()
    visitor.follow("Change your password")
    visitor.fill_in(current_password="not mine at all", password=NEW_PASSWORD)
    visitor.press("Save the password")
    visitor.sees("This is not your current password.")
    visitor.fill_in(current_password=visitor.password, password=NEW_PASSWORD)
    visitor.press("Save the password")
    visitor.sees("Your new password is saved.")
    wait_for_mail(visitor, "password-changed")
    visitor.log_out()
    visitor.log_in(password=NEW_PASSWORD)
    visitor.reads("Hello, Ada Lovelace")


def test_change_of_address(visitor):
    visitor.become_a_member()
    old, new = visitor.address, f"countess-{uuid4().hex[:8]}@example.com"
    visitor.follow("Change your address")
    visitor.fill_in(email=new, current_password=visitor.password)
    visitor.press("Send the confirmation")
    visitor.page.get_by_role("status").get_by_text(new).wait_for()
    visitor.sees(old)
    visitor.open_mail("/account/address/", to=new)
    visitor.reads("Confirm your new address")
    visitor.press("Yes, change it")
    visitor.sees("Your new address is confirmed.")
    wait_for_mail(visitor, "address-changed", to=old)
    visitor.log_out()
    visitor.log_in(username=new)
    visitor.reads("Hello, Ada Lovelace")


def test_new_address_is_thought_better_of(visitor):
    visitor.become_a_member()
    new = f"slip-{uuid4().hex[:8]}@example.com"
    visitor.follow("Change your address")
    visitor.fill_in(email=new, current_password=visitor.password)
    visitor.press("Send the confirmation")
    link = visitor.link_in_mail("/account/address/", to=new)
    visitor.press("Cancel change")
    visitor.page.get_by_role("status").get_by_text(visitor.address).wait_for()
    visitor.go(link)
    visitor.reads("This link no longer works")


def test_preferences(visitor):
    visitor.become_a_member()
    visitor.follow("Preferences")
    visitor.fill_in(name="Augusta")
    visitor.page.get_by_label("Send me product news").uncheck()
    visitor.press("Save")
    visitor.sees("Your preferences are saved.")
    visitor.reads("Hello, Augusta")
    visitor.follow("Preferences")
    expect(visitor.page.get_by_label("Send me product news")).not_to_be_checked()


def test_deleted_account_is_gone_and_gets_one_last_mail(visitor):
    visitor.become_a_member()
    visitor.follow("Delete your account")
    visitor.fill_in(current_password=visitor.password)
    visitor.press("Delete my account")
    visitor.reads("Your account is deleted")
    wait_for_mail(visitor, "account-deleted")
    visitor.log_in()
    visitor.reads("Log in")
    visitor.page.get_by_role("alert").wait_for()


def test_member_of_nothing_is_asked_to_log_in(visitor):
    visitor.go("/account/preferences/")
    visitor.reads("Log in")
    assert "next=/account/preferences/" in visitor.page.url
