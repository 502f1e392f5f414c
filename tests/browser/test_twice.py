"""Double clicks, forms in two tabs and links in another browser."""

from contextlib import contextmanager

from tests.browser.looks import PHONE
from tests.browser.server_side import double_click, is_confirmed, kinds_arrived, wait_for_email
from tests.browser.visitor import NEW_PASSWORD

OTHER_PASSWORD = "nine quiet lighthouses at noon"


@contextmanager
def elsewhere(visitor):
    """Yield the same user in another browser."""
    browser = visitor.page.context.browser
    with browser.new_context(viewport=PHONE, java_script_enabled=visitor.javascript, locale="en-GB") as context:
        other = visitor.in_another(context.new_page())
        yield other
    assert other.errors.messages == []


def test_double_click_on_sign_up_sends_one_email(visitor):
    visitor.go("/sign-up/")
    visitor.fill_in(email=visitor.address, name="Ada Lovelace", password=visitor.password)
    double_click(visitor)
    visitor.is_at("check-inbox")
    assert visitor.path == "/check-inbox/"
    visitor.wait_for_progress("delivered")
    assert kinds_arrived(visitor) == {"welcome": 1}
    visitor.confirm()


def test_double_click_on_confirm_confirms(visitor):
    visitor.sign_up()
    visitor.open_email("/confirm/")
    double_click(visitor)
    visitor.sees_notice("address-confirmed")
    visitor.is_at("home")


def test_double_click_on_a_reset_request_sends_one_email(visitor):
    visitor.become_a_member()
    visitor.log_out()
    visitor.go("/password-reset/")
    visitor.fill_in(email=visitor.address)
    double_click(visitor)
    visitor.is_at("password-reset-done")
    wait_for_email(visitor, "password-reset")
    assert kinds_arrived(visitor) == {"welcome": 1, "password-reset": 1}


def test_double_click_on_a_new_password_saves_it(visitor):
    visitor.become_a_member()
    visitor.log_out()
    visitor.go("/password-reset/")
    visitor.fill_in(email=visitor.address)
    visitor.submit()
    visitor.open_email("/password-reset/")
    visitor.fill_in(password=NEW_PASSWORD)
    double_click(visitor)
    visitor.is_at("password-reset-complete")
    visitor.log_in(password=NEW_PASSWORD)
    visitor.is_at("home")


def test_second_tab_shows_that_the_reset_link_was_used(visitor):
    visitor.become_a_member()
    visitor.log_out()
    visitor.go("/password-reset/")
    visitor.fill_in(email=visitor.address)
    visitor.submit()
    link = visitor.link_in_email("/password-reset/")
    visitor.go(link)
    other = visitor.in_another(visitor.page.context.new_page())
    other.go(link)
    visitor.fill_in(password=NEW_PASSWORD)
    visitor.submit()
    visitor.is_at("password-reset-complete")
    other.fill_in(password=OTHER_PASSWORD)
    other.submit()
    other.is_at("password-reset-used")
    other.log_in(password=OTHER_PASSWORD)
    other.is_at("log-in")
    other.log_in(password=NEW_PASSWORD)
    other.is_at("home")
    assert other.errors.messages == []


def test_confirmation_in_another_browser_asks_for_the_password(visitor):
    visitor.sign_up()
    link = visitor.link_in_email("/confirm/")
    with elsewhere(visitor) as other:
        other.go(link)
        other.fill_in(password="a wrong password")
        other.submit()
        other.is_at("confirm")
        other.page.get_by_role("alert").wait_for()
        assert not is_confirmed(visitor)
        other.fill_in(password=visitor.password)
        other.submit()
        other.sees_notice("address-confirmed")
        other.is_at("home")
    visitor.wait_for_progress("confirmed")


def test_confirmation_in_another_browser_with_a_forgotten_password(visitor):
    visitor.sign_up()
    link = visitor.link_in_email("/confirm/")
    with elsewhere(visitor) as other:
        other.go(link)
        other.submit("/password-reset/")
        other.is_at("password-reset-done")
        other.open_email("/password-reset/")
        other.fill_in(password=NEW_PASSWORD)
        other.submit()
        other.is_at("password-reset-complete")
        other.log_in(password=NEW_PASSWORD)
        other.is_at("home")
    assert is_confirmed(visitor)


def test_log_in_form_in_another_tab_redirects_after_a_log_in(visitor):
    visitor.become_a_member()
    visitor.log_out()
    other = visitor.in_another(visitor.page.context.new_page())
    other.go("/log-in/")
    visitor.log_in()
    visitor.is_at("home")
    other.fill_in(username=other.address, password=other.password)
    other.submit()
    other.is_at("home")
    assert other.errors.messages == []


def test_form_from_before_a_log_in_can_be_opened_again(visitor):
    visitor.become_a_member()
    other = visitor.in_another(visitor.page.context.new_page())
    other.go("/account/preferences/")
    visitor.log_out()
    visitor.log_in()
    visitor.is_at("home")
    other.fill_in(name="Augusta")
    other.submit()
    other.is_at("403-csrf")
    other.follow("/account/preferences/")
    other.is_at("preferences")
    other.fill_in(name="Augusta")
    other.submit()
    other.is_at("home")
    assert other.errors.messages == []
