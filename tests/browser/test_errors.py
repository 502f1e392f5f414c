"""Errors show a page of the site with a way on, and no details."""

from contextlib import contextmanager
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from config.views import RETRY_AFTER_S
from tests.browser import places
from tests.live.running import eventually


@pytest.mark.parametrize(
    ("way", "number"),
    [(places.path("/there-is-none/"), "404"), (places.too_many_attempts, "429"), (places.server_error, "500")],
)
def test_error_page_leads_home(visitor, way, number):
    way(visitor)
    visitor.is_at(number)
    visitor.sees(number)
    visitor.follow("/")
    visitor.is_at("landing")


def test_form_without_its_cookie_leads_back_to_the_form(visitor):
    places.without_cookies(visitor)
    visitor.is_at("403-csrf")
    visitor.follow("/log-in/")
    visitor.is_at("log-in")


def test_bad_request_shows_an_error_page(visitor):
    places.unknown_host(visitor)
    visitor.is_at("400")


def test_page_without_permission_shows_an_error_page(visitor):
    visitor.become_a_member()
    visitor.running.sql("UPDATE accounts_user SET is_staff = true WHERE email = %s", visitor.address)
    visitor.go("/admin/email/")
    visitor.is_at("403")


def test_database_outage_shows_an_error_page(visitor):
    visitor.go("/password-reset/")
    with database_down(visitor.running):
        visitor.fill_in(email=f"ada-{uuid4().hex[:8]}@example.com")
        visitor.submit()
        visitor.is_at("503")
        visitor.sees(str(RETRY_AFTER_S))
        expect(visitor.page.locator("main a[href='/']")).to_be_visible()
        assert visitor.go("/healthz/live").ok
    eventually(lambda: visitor.go("/healthz/ready").ok)


@contextmanager
def database_down(running):
    running.stop("postgres")
    try:
        yield
    finally:
        running.start("postgres")
