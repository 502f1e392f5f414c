"""The main flows, from the first page to the last, with and without JavaScript."""

from tests.browser.visitor import NEW_PASSWORD


def test_sign_up_confirm_log_in_and_log_out(visitor):
    visitor.go("/")
    visitor.follow("/sign-up/")
    visitor.fill_in(email=visitor.address, name="Ada Lovelace", password=visitor.password)
    visitor.submit()
    visitor.is_at("check-inbox")
    visitor.sees(visitor.address)
    visitor.confirm()
    visitor.is_at("home")
    visitor.log_out()
    visitor.is_at("landing")
    visitor.log_in()
    visitor.is_at("home")


def test_forgotten_password(visitor):
    visitor.become_a_member()
    visitor.log_out()
    visitor.go("/log-in/")
    visitor.follow("/password-reset/")
    visitor.fill_in(email=visitor.address)
    visitor.submit()
    visitor.is_at("password-reset-done")
    visitor.open_email("/password-reset/")
    visitor.fill_in(password=NEW_PASSWORD)
    visitor.submit()
    visitor.is_at("password-reset-complete")
    visitor.log_in()
    visitor.is_at("log-in")
    visitor.log_in(password=NEW_PASSWORD)
    visitor.is_at("home")


def test_reset_link_works_once(visitor):
    visitor.become_a_member()
    visitor.log_out()
    visitor.go("/password-reset/")
    visitor.fill_in(email=visitor.address)
    visitor.submit()
    link = visitor.link_in_email("/password-reset/")
    visitor.go(link)
    visitor.fill_in(password=NEW_PASSWORD)
    visitor.submit()
    visitor.is_at("password-reset-complete")
    visitor.page.context.clear_cookies()
    visitor.go(link)
    visitor.is_at("password-reset-failed")


def test_form_shows_errors_at_their_fields(visitor):
    visitor.go("/sign-up/")
    # Turns off the browser's own validation.
    visitor.fill_in(email="ada@localhost", password="short")
    visitor.submit()
    visitor.is_at("sign-up")
    visitor.page.get_by_role("alert").locator("a[href='#id_email']").click()
    for name in ("email", "password"):
        field = visitor.page.locator(f"main [name={name}]")
        assert field.get_attribute("aria-invalid") == "true"
        described = field.get_attribute("aria-describedby").split()
        assert visitor.page.locator(f"#{described[-1]}").inner_text()


def test_pages_and_emails_are_in_german(visitor):
    visitor.go("/sign-up/")
    visitor.page.locator("[name=language][value=de]").click()
    visitor.page.locator("html[lang=de]").wait_for()
    visitor.is_at("sign-up")
    assert visitor.page.locator("html").get_attribute("lang") == "de"
    visitor.fill_in(email=visitor.address, name="Emmy Noether", password=visitor.password)
    visitor.submit()
    visitor.sees(visitor.address)
    visitor.open_email("/confirm/")
    assert visitor.page.locator("html").get_attribute("lang") == "de"
    (email,) = visitor.running.simulator.messages(to=visitor.address)
    assert '<html lang="de">' in email["html"]
