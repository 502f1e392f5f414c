"""Forms that were opened before a log-in or log-out in another tab."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.links import password_reset_path
from accounts.models import User
from notifications.models import Message
from tests.accounts.racing import tab

pytestmark = pytest.mark.django_db
LOG_IN, SIGN_UP, HOME, LOG_OUT, RESET = (
    reverse(f"accounts:{name}") for name in ("log-in", "sign-up", "home", "log-out", "password-reset")
)
OFFER = 'id="reset-offer"'
MEMBERS = [reverse(f"accounts:{name}") for name in ("password-change", "address-change", "preferences", "delete")]
PASSWORD = "correct horse battery"
RIGHT = {"username": "ada@example.com", "password": PASSWORD}


@pytest.fixture
def user():
    user = User(email="ada@example.com", confirmed_at=timezone.now())
    user.set_password(PASSWORD)
    User.objects.bulk_create([user])
    return User.objects.get()


@pytest.fixture
def browser(user):
    """A browser with cookies and CSRF checks."""
    return Client(enforce_csrf_checks=True)


def form_at(browser, path, **fields):
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', browser.get(path).content.decode())[1]
    return {"csrfmiddlewaretoken": token} | fields


def log_in(browser):
    assert browser.post(LOG_IN, form_at(browser, LOG_IN, **RIGHT)).status_code == 302


@pytest.mark.parametrize("path", [LOG_IN, SIGN_UP])
@pytest.mark.parametrize(("wanted", "where"), [("", HOME), ("/account/preferences/", "/account/preferences/")])
def test_log_in_form_redirects_after_a_log_in_in_another_tab(browser, path, wanted, where):
    stale = form_at(browser, path, next=wanted, email="eve@example.com", **RIGHT)
    log_in(browser)
    assert browser.post(path, stale)["Location"] == where
    assert not Message.objects.exists()
    for answer in (browser.get(path), browser.post(path, form_at(browser, HOME))):
        assert answer["Location"] == HOME


@pytest.mark.parametrize("path", MEMBERS)
def test_member_form_redirects_to_log_in_after_a_log_out_in_another_tab(browser, path):
    log_in(browser)
    stale = form_at(browser, path, current_password=PASSWORD, password="a much newer password")
    browser.post(LOG_OUT, form_at(browser, HOME))
    browser.cookies.pop("csrftoken")
    assert browser.post(path, stale)["Location"] == f"{LOG_IN}?next={path}"
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize(
    ("path", "form"),
    [*((path, path) for path in MEMBERS), (LOG_OUT, HOME), (reverse("accounts:address-stay"), HOME)],
)
def test_member_form_from_before_another_log_in_is_explained(browser, path, form):
    log_in(browser)
    stale = form_at(browser, HOME)
    browser.post(LOG_OUT, stale)
    log_in(browser)
    answer = browser.post(path, stale | {"current_password": PASSWORD, "password": "a much newer password"})
    assert answer.status_code == 403
    assert f'href="{form}"' in answer.content.decode()
    assert not answer.context["needs_cookies"]
    assert User.objects.get().check_password(PASSWORD)
    assert "_auth_user_id" in browser.session


def test_second_log_out_redirects_home(browser):
    log_in(browser)
    stale = form_at(browser, HOME)
    other = tab(browser)
    browser.post(LOG_OUT, form_at(browser, HOME))
    other.cookies = browser.cookies
    browser.cookies.pop("csrftoken")
    assert browser.post(LOG_OUT, stale)["Location"] == HOME


def test_missing_cookies_are_explained(browser):
    fields = form_at(browser, LOG_IN, **RIGHT)
    browser.cookies.clear()
    answer = browser.post(LOG_IN, fields)
    assert answer.status_code == 403
    assert answer.context["needs_cookies"]
    assert f'href="{LOG_IN}"' in answer.content.decode()


def test_form_of_another_site_is_explained(browser):
    answer = browser.post(SIGN_UP, form_at(browser, SIGN_UP), headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert answer.context["is_foreign"]


def test_double_click_on_log_in_leads_home(browser):
    fields = form_at(browser, LOG_IN, **RIGHT)
    second = Client(enforce_csrf_checks=True)
    second.cookies.update(browser.cookies)
    for one in (browser, second, browser):
        assert one.post(LOG_IN, fields)["Location"] == HOME


def test_failed_log_in_offers_a_reset(browser):
    assert OFFER not in browser.get(LOG_IN).content.decode()
    wrong = form_at(browser, LOG_IN, **RIGHT | {"password": "wrong"})
    for _ in range(5):
        answer = browser.post(LOG_IN, wrong)
        assert answer.status_code == 200
        assert OFFER in answer.content.decode()
    answer = browser.post(LOG_IN, wrong)
    assert answer.status_code == 429
    assert RESET in answer.content.decode()


def test_reset_allows_log_in_after_too_many_wrong_passwords(browser, user):
    wrong = form_at(browser, LOG_IN, **RIGHT | {"password": "wrong"})
    assert [browser.post(LOG_IN, wrong).status_code for _ in range(6)][-1] == 429
    owner = Client()
    where = owner.get(password_reset_path(user), follow=True).redirect_chain[-1][0]
    owner.post(where, {"password": "a much newer password"})
    answer = owner.post(LOG_IN, RIGHT | {"password": "a much newer password"}, REMOTE_ADDR="192.0.2.7")
    assert answer["Location"] == HOME
