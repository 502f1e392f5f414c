"""What people come for, from the first page to the last, with JavaScript and without."""

from tests.browser.visitor import NEW_PASSWORD


def test_sign_up_confirm_log_in_and_log_out(visitor):
    visitor.go("/")
    visitor.follow("Create an account")
    visitor.fill_in(email=visitor.address, name="Ada Lovelace", password=visitor.password)
    visitor.press("Sign up")
    visitor.reads("Check your inbox")
    visitor.sees(visitor.address)
    visitor.confirm()
    visitor.reads("Hello, Ada Lovelace")
    visitor.log_out()
    visitor.reads("Nobody waits for e-mail. No e-mail is lost.")
    visitor.log_in()
    visitor.reads("Hello, Ada Lovelace")


def test_forgotten_password(visitor):
    visitor.become_a_member()
    visitor.log_out()
    visitor.go("/log-in/")
    visitor.follow("Forgot your password?")
    visitor.fill_in(email=visitor.address)
    visitor.press("Send me the link")
    visitor.reads("Check your inbox")
    visitor.open_mail("/password-reset/")
    visitor.fill_in(password=NEW_PASSWORD)
    visitor.press("Save the password")
    visitor.reads("Your new password is saved")
    visitor.log_in()
    visitor.reads("Log in")
    visitor.log_in(password=NEW_PASSWORD)
    visitor.reads("Hello, Ada Lovelace")


def test_reset_link_works_once(visitor):
    visitor.become_a_member()
    visitor.log_out()
    visitor.go("/password-reset/")
    visitor.fill_in(email=visitor.address)
    visitor.press("Send me the link")
    link = visitor.link_in_mail("/password-reset/")
    visitor.go(link)
    visitor.fill_in(password=NEW_PASSWORD)
    visitor.press("Save the password")
    visitor.reads("Your new password is saved")
    visitor.page.context.clear_cookies()
    visitor.go(link)
    visitor.reads("This link no longer works")


def test_form_says_what_is_wrong_where_it_is(visitor):
    visitor.go("/sign-up/")
    # Past the browser's own check, which speaks first otherwise.
    visitor.fill_in(email="ada@localhost", password="short")
    visitor.press("Sign up")
    visitor.reads("Create your account")
    visitor.page.get_by_role("alert").get_by_role("link", name="E-mail address").click()
    for name in ("email", "password"):
        field = visitor.page.locator(f"main [name={name}]")
        assert field.get_attribute("aria-invalid") == "true"
        described = field.get_attribute("aria-describedby").split()
        assert visitor.page.locator(f"#{described[-1]}").inner_text()


def test_pages_and_mail_speak_german(visitor):
    visitor.go("/sign-up/")
    visitor.press("Deutsch")
    visitor.reads("Konto anlegen")
    assert visitor.page.locator("html").get_attribute("lang") == "de"
    visitor.fill_in(email=visitor.address, name="Emmy Noether", password=visitor.password)
    visitor.page.get_by_role("main").get_by_role("button").click()
    visitor.sees(visitor.address)
    visitor.open_mail("/confirm/")
    assert visitor.page.locator("html").get_attribute("lang") == "de"
    (mail,) = visitor.running.simulator.messages(to=visitor.address)
    assert "bestätigen" in mail["subject"]
