"""A link confirms an address in the browser that signed up, or with the password, or after a reset."""

import re

import pytest
import time_machine
from django.core import signing
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.flows import confirming
from accounts.flows.sign_up_cookie import PendingSignUp
from accounts.links import confirmation_path, password_reset_path
from accounts.models import User
from accounts.tokens import ConfirmationTokenGenerator
from notifications.models import Message
from tests.accounts.racing import held_until_all_are_there, post_together, tab
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
SIGN_UP, HOME, LOG_IN = (reverse(f"accounts:{name}") for name in ("sign-up", "home", "log-in"))
PREFERENCES = reverse("accounts:preferences")
PASSWORD, OWN = "correct horse battery", "another good password"
FIELDS = {"email": "ada@example.com", "name": "Ada", "password": PASSWORD}


@pytest.fixture
def browser(client):
    """A browser in which a user has signed up."""
    client.post(SIGN_UP, FIELDS)
    return client


@pytest.fixture
def link(browser):
    return confirmation_path(User.objects.get())


def is_confirmed():
    return User.objects.get().confirmed_at is not None


def is_logged_in(client):
    return "_auth_user_id" in client.session


def fields_of(page):
    return set(re.findall(r'<input[^>]+name="(\w+)"', page.content.decode()))


def test_browser_that_signed_up_confirms_with_one_click_and_is_logged_in(browser, link):
    page = browser.get(link)
    assert "password" not in fields_of(page)
    assert not is_confirmed()
    assert browser.post(link)["Location"] == HOME
    assert is_confirmed()
    assert is_logged_in(browser)
    assert browser.session.get_expire_at_browser_close()


@pytest.mark.parametrize(
    "fields",
    [{}, {"password": ""}, {"password": "made up by a scanner"}, {"password": "\x00"}, {"email": "x", "a": "b"}],
)
def test_email_scanner_that_submits_the_form_confirms_nothing(link, fields):
    scanner = Client()
    page = scanner.get(link)
    assert page.status_code == 200
    answer = scanner.post(link, dict.fromkeys(fields_of(page), "on") | fields)
    assert answer.status_code == 200
    assert not is_confirmed()
    assert not is_logged_in(scanner)


def test_email_scanner_does_not_confirm_an_attackers_sign_up(browser, link):
    """An attacker signs up with a victim's address; the scanner of that mailbox submits all forms."""
    scanner = Client()
    for form in re.findall(r'<form method="post"[^>]*?(?:action="([^"]*)")?>', scanner.get(link).content.decode()):
        scanner.post(form or link, {"email": "ada@example.com", "password": "made up by a scanner"})
    browser.post(LOG_IN, {"username": "ada@example.com", "password": PASSWORD})
    assert not is_logged_in(browser)
    assert not is_confirmed()


def test_password_confirms_and_logs_in_in_another_browser(link):
    phone = Client()
    assert phone.post(link, {"password": PASSWORD})["Location"] == HOME
    assert is_confirmed()
    assert is_logged_in(phone)


def test_mailbox_owner_can_replace_an_attackers_password(browser, link):
    """The owner of the address requests a reset on the page of the link."""
    owner = Client()
    owner.post(reverse("accounts:password-reset"), {"email": "ada@example.com"})
    assert Message.objects.filter(kind="password-reset", user=User.objects.get()).exists()
    where = owner.get(password_reset_path(User.objects.get()), follow=True).redirect_chain[-1][0]
    owner.post(where, {"password": OWN})
    assert is_confirmed()
    assert User.objects.get().check_password(OWN)
    # The attacker's browser still has the sign-up cookie, which is no longer valid.
    browser.post(link)
    assert not is_logged_in(browser)


def test_cookie_of_another_sign_up_does_not_confirm(link):
    other = Client()
    other.post(SIGN_UP, FIELDS | {"email": "eve@example.com"})
    other.post(link)
    assert User.objects.get(email="ada@example.com").confirmed_at is None


def test_password_attempts_are_limited(link, settings):
    settings.ADDRESS_LIMITS = re.sub(r"failed-log-in=[^,]+", "failed-log-in=3/hour", settings.ADDRESS_LIMITS)
    statuses = [Client().post(link, {"password": f"guess {number}"}).status_code for number in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert Client().post(link, {"password": ""}).status_code == 200


@pytest.mark.parametrize("kept", ["", "!", "!abc", "no-such-hasher$1"])
def test_user_without_a_password_chooses_the_first_one(kept):
    user = UserFactory(email="ada@example.com", password=kept)
    path, reader = confirmation_path(user), Client()
    for weak in ({}, {"password": "12345"}):
        assert reader.post(path, weak).status_code == 200
        assert not is_confirmed()
    assert reader.post(path, {"password": OWN})["Location"] == HOME
    assert is_confirmed()
    assert is_logged_in(reader)
    assert User.objects.get().check_password(OWN)


def test_link_of_an_inactive_account_is_rejected(browser, link):
    User.objects.update(is_active=False)
    assert browser.get(link).status_code == 410
    assert browser.post(link).status_code == 410
    assert not is_confirmed()


def test_member_who_confirms_another_account_stays_logged_in(link):
    other = UserFactory(email="eve@example.com", confirmed_at=timezone.now())
    browser = Client()
    browser.force_login(other)
    browser.post(link, {"password": PASSWORD})
    assert User.objects.get(email="ada@example.com").confirmed_at is not None
    assert browser.session["_auth_user_id"] == str(other.pk)


# --- Twice -----------------------------------------------------------------------------------------------------------


def twice(monkeypatch, posts):
    with held_until_all_are_there(monkeypatch, ConfirmationTokenGenerator, "check_token", len(posts)):
        return post_together(posts)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("where", ["here", "elsewhere", "no password"])
def test_double_click_confirms_once_and_logs_in_with_both_answers(monkeypatch, where):
    here, fields = Client(), {} if where == "here" else {"password": PASSWORD}
    if where == "no password":
        UserFactory(email="ada@example.com", password="!")
    else:
        here.post(SIGN_UP, FIELDS)
    link = confirmation_path(User.objects.get())
    tabs = [tab(here) if where == "here" else Client() for _ in range(2)]
    answers = twice(monkeypatch, [(one, link, fields) for one in tabs])
    first = User.objects.get().confirmed_at
    late = tab(here) if where == "here" else Client()
    answers.append(late.post(link, fields))
    assert [answer.get("Location") for answer in answers] == [HOME] * 3
    assert all(is_logged_in(one) for one in (*tabs, late))
    assert first is not None
    assert User.objects.get().confirmed_at == first
    assert Message.objects.exclude(kind="welcome").count() == 0


@pytest.mark.django_db(transaction=True)
def test_two_simultaneous_first_passwords_set_one(monkeypatch):
    link = confirmation_path(UserFactory(email="ada@example.com", password="!"))
    one, other = Client(), Client()
    twice(monkeypatch, [(one, link, {"password": PASSWORD}), (other, link, {"password": OWN})])
    account = User.objects.get()
    assert [is_logged_in(one), is_logged_in(other)] == [account.check_password(PASSWORD), account.check_password(OWN)]
    assert sorted([is_logged_in(one), is_logged_in(other)]) == [False, True]


def test_used_link_logs_no_one_in_later(browser, link):
    browser.post(link)
    late = tab(browser)
    late.post(reverse("accounts:log-out"))
    with time_machine.travel(timezone.now() + confirming.DOUBLE_CLICK * 2):
        page = late.post(link)
    assert page.status_code == 200
    assert not is_logged_in(late)


def test_password_changed_during_the_check_confirms_nothing(link, monkeypatch):
    checked = User.check_password

    def slowly(self, password):
        is_right = checked(self, password)
        User.objects.update(password="!")
        return is_right

    monkeypatch.setattr(User, "check_password", slowly)
    Client().post(link, {"password": PASSWORD})
    assert not is_confirmed()


# --- Next page --------------------------------------------------------------------------------------------------------


def test_requested_page_is_shown_after_confirming():
    browser = Client()
    log_in = browser.get(PREFERENCES, follow=True)
    sign_up = re.search(rf'href="({SIGN_UP}[^"]+)"', log_in.content.decode())[1]
    form = browser.get(sign_up).content.decode()
    wanted = re.search(r'name="next" value="([^"]+)"', form)[1]
    assert wanted == PREFERENCES
    browser.post(SIGN_UP, FIELDS | {"next": wanted})
    browser.post(reverse("accounts:correct-address"), FIELDS | {"email": "ada@example.org"})
    assert browser.post(confirmation_path(User.objects.get(email="ada@example.org")))["Location"] == PREFERENCES


BAD = [
    *("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "http:///evil.example"),
    *(LOG_IN, f"{SIGN_UP}?next=/x", reverse("accounts:log-out"), "/" + "x" * 3000, "evil", "\x00", "///evil.example"),
]


@pytest.mark.parametrize("wanted", BAD)
def test_unsafe_next_page_is_not_shown_after_confirming(wanted):
    browser = Client()
    browser.post(SIGN_UP, FIELDS | {"next": wanted})
    assert browser.post(confirmation_path(User.objects.get()))["Location"] == HOME
    # A logged-in user is redirected too.
    for path in (SIGN_UP, LOG_IN):
        for answer in (browser.get(path, {"next": wanted}), browser.post(path, {"next": wanted})):
            assert answer.status_code in ({302, 400} if wanted == "\x00" else {302})
            assert answer.get("Location", HOME) == HOME


def test_signed_cookie_with_an_unsafe_next_leads_home(browser, link):
    started = PendingSignUp(address="ada@example.com", account=User.objects.get().sign_up, next="https://evil.example/")
    started.save(response := HttpResponse())
    browser.cookies.update(response.cookies)
    assert browser.post(link)["Location"] == HOME


@pytest.mark.parametrize(
    "values", [{"address": "a@x.example"}, {"account": "x", "mail": "y"}, [], {"unknown": 1}, "text"]
)
def test_cookie_of_another_release_is_ignored(browser, rf, values):
    request = rf.get("/")
    request.COOKIES["signed_up"] = signing.dumps(values, salt="signed_up")
    assert PendingSignUp.load(request) is None


def test_inbox_page_in_another_tab_links_to_the_requested_page(browser, link):
    browser.post(link)
    page = browser.get(reverse("accounts:check-inbox"))
    assert page.context["confirmed"]
    assert LOG_IN not in page.content.decode()


def test_log_out_clears_the_sign_up_cookie(browser, link):
    browser.post(link)
    browser.post(reverse("accounts:log-out"))
    assert "signed_up" not in browser.cookies or not browser.cookies["signed_up"].value
