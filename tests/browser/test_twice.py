"""What people do twice: a double click, a form in two tabs, a link in another browser."""

from contextlib import contextmanager

from tests.browser.behind import is_confirmed, kinds_arrived, press_twice, wait_for_mail
from tests.browser.looks import PHONE
from tests.browser.visitor import NEW_PASSWORD

OTHER_PASSWORD = "nine quiet lighthouses at noon"


@contextmanager
def elsewhere(visitor):
    """Yield the same person in another browser, which knows nothing of the first one."""
    browser = visitor.page.context.browser
    with browser.new_context(viewport=PHONE, java_script_enabled=visitor.javascript, locale="en-GB") as context:
        other = visitor.beside(context.new_page())
        yield other
    assert other.complaints.said == []


def test_double_click_on_sign_up_ends_on_the_inbox_page_with_one_email(visitor):
    visitor.go("/sign-up/")
    visitor.fill_in(email=visitor.address, name="Ada Lovelace", password=visitor.password)
    press_twice(visitor, "Sign up")
    visitor.reads("Check your inbox")
    assert visitor.path == "/check-inbox/"
    visitor.look_again_until("Delivered")
    assert kinds_arrived(visitor) == {"welcome": 1}
    visitor.confirm()


def test_double_click_on_confirm_welcomes(visitor):
    visitor.sign_up()
    visitor.open_mail("/confirm/")
    press_twice(visitor, "Confirm")
    visitor.sees("Your address is confirmed. Welcome!")
    visitor.reads("Hello, Ada Lovelace")


def test_double_click_on_a_reset_request_brings_one_email(visitor):
    visitor.become_a_member()
    visitor.log_out()
    visitor.go("/password-reset/")
    visitor.fill_in(email=visitor.address)
    press_twice(visitor, "Send me the link")
    visitor.reads("Check your inbox")
    wait_for_mail(visitor, "password-reset")
    assert kinds_arrived(visitor) == {"welcome": 1, "password-reset": 1}


def test_double_click_on_a_new_password_saves_it(visitor):
    visitor.become_a_member()
    visitor.log_out()
    visitor.go("/password-reset/")
    visitor.fill_in(email=visitor.address)
    visitor.press("Send me the link")
    visitor.open_mail("/password-reset/")
    visitor.fill_in(password=NEW_PASSWORD)
    press_twice(visitor, "Save the password")
    visitor.reads("Your new password is saved")
    visitor.log_in(password=NEW_PASSWORD)
    visitor.reads("Hello, Ada Lovelace")


def test_second_of_two_tabs_learns_that_the_reset_link_was_used(visitor):
    visitor.become_a_member()
    visitor.log_out()
    visitor.go("/password-reset/")
    visitor.fill_in(email=visitor.address)
    visitor.press("Send me the link")
    link = visitor.link_in_mail("/password-reset/")
    visitor.go(link)
    other = visitor.beside(visitor.page.context.new_page())
    other.go(link)
    visitor.fill_in(password=NEW_PASSWORD)
    visitor.press("Save the password")
    visitor.reads("Your new password is saved")
    other.fill_in(password=OTHER_PASSWORD)
    other.press("Save the password")
    other.reads("This link no longer works")
    other.sees("This link was already used")
    other.log_in(password=OTHER_PASSWORD)
    other.reads("Log in")
    other.log_in(password=NEW_PASSWORD)
    other.reads("Hello, Ada Lovelace")
    assert other.complaints.said == []


def test_confirmation_in_another_browser_asks_for_the_password(visitor):
    visitor.sign_up()
    link = visitor.link_in_mail("/confirm/")
    with elsewhere(visitor) as other:
        other.go(link)
        other.fill_in(password="not mine at all")
        other.press("Confirm")
        other.reads("Confirm your address")
        other.page.get_by_role("alert").wait_for()
        assert not is_confirmed(visitor)
        other.fill_in(password=visitor.password)
        other.press("Confirm")
        other.sees("Your address is confirmed. Welcome!")
        other.reads("Hello, Ada Lovelace")
    visitor.look_again_until("Your address is confirmed. Welcome!")


def test_confirmation_in_another_browser_with_a_forgotten_password(visitor):
    visitor.sign_up()
    link = visitor.link_in_mail("/confirm/")
    with elsewhere(visitor) as other:
        other.go(link)
        other.press("Email me a link")
        other.reads("Check your inbox")
        other.open_mail("/password-reset/")
        other.fill_in(password=NEW_PASSWORD)
        other.press("Save the password")
        other.reads("Your new password is saved")
        other.log_in(password=NEW_PASSWORD)
        other.reads("Hello, Ada Lovelace")
    assert is_confirmed(visitor)


def test_log_in_form_of_another_tab_leads_on_once_logged_in(visitor):
    visitor.become_a_member()
    visitor.log_out()
    other = visitor.beside(visitor.page.context.new_page())
    other.go("/log-in/")
    visitor.log_in()
    visitor.reads("Hello, Ada Lovelace")
    other.fill_in(username=other.address, password=other.password)
    other.press("Log in")
    other.reads("Hello, Ada Lovelace")
    assert other.complaints.said == []


def test_form_that_is_older_than_the_log_in_can_be_opened_again(visitor):
    visitor.become_a_member()
    other = visitor.beside(visitor.page.context.new_page())
    other.go("/account/preferences/")
    visitor.log_out()
    visitor.log_in()
    visitor.reads("Hello, Ada Lovelace")
    other.fill_in(name="Augusta")
    other.press("Save")
    other.reads("This form has expired")
    other.follow("Open the form again")
    other.reads("Preferences")
    other.fill_in(name="Augusta")
    other.press("Save")
    other.reads("Hello, Augusta")
    assert other.complaints.said == []
