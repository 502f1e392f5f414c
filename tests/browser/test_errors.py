"""What people see when something is refused or broken: a page of ours, with a way out, and never more than that."""

from contextlib import contextmanager
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser import places
from tests.live.running import eventually


@pytest.mark.parametrize(
    ("way", "number", "heading"),
    [
        (places.path("/there-is-none/"), "404", "There is no such page"),
        (places.too_often, "429", "Please wait a little"),
        (places.mistake_of_ours, "500", "Something went wrong here"),
    ],
)
def test_error_page_says_what_to_do(visitor, way, number, heading):
    way(visitor)
    visitor.reads(heading)
    visitor.sees(number)
    visitor.follow("Home")
    visitor.reads("Nobody waits for e-mail. No e-mail is lost.")


def test_form_without_its_cookie_leads_back_to_the_form(visitor):
    places.without_cookies(visitor)
    visitor.reads("This form has expired")
    visitor.follow("Open the form again")
    visitor.reads("Log in")


def test_request_that_is_no_good_is_refused(visitor):
    places.under_another_name(visitor)
    visitor.reads("We could not read this request")


def test_page_for_others_is_refused(visitor):
    """Somebody of the staff without any permission looks at the state of the mail."""
    visitor.become_a_member()
    visitor.running.sql("UPDATE accounts_user SET is_staff = true WHERE email = %s", visitor.address)
    visitor.go("/admin/status/")
    visitor.reads("You don't have access to this page")


def test_page_for_a_database_that_is_down(visitor):
    visitor.go("/password-reset/")
    with database_down(visitor.running):
        visitor.fill_in(email=f"ada-{uuid4().hex[:8]}@example.com")
        visitor.press("Send me the link")
        visitor.reads("We will be right back")
        visitor.sees("Please try again in 10 seconds.")
        expect(visitor.page.get_by_role("link", name="Home")).to_be_visible()
        assert visitor.go("/healthz/live").ok
    eventually(lambda: visitor.go("/healthz/ready").ok)


@contextmanager
def database_down(running):
    running.stop("postgres")
    try:
        yield
    finally:
        running.start("postgres")
