"""A sign-up, or a request for an email, posted twice has one effect."""

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import form_key
from accounts.flows.sign_up_cookie import PendingSignUp
from accounts.form_key import FormWithKey
from accounts.models import User, UserManager
from tests.accounts.racing import held_until_all_are_there, post_together, tab
from tests.accounts.views.double_posts.posting import PASSWORD, is_done, kinds, with_key
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


INBOX = reverse("accounts:check-inbox")


SIGN_UP = {"email": "ada@example.com", "name": "Ada", "password": PASSWORD}


def memory(answer):
    """Return the browser's pending sign-up, without the time."""
    request = answer.wsgi_request
    request.COOKIES = {name: morsel.value for name, morsel in answer.cookies.items()}
    started = PendingSignUp.load(request)
    return started.address, started.account, started.mail


@pytest.mark.parametrize("owner", [None, "confirmed", "unconfirmed"])
def test_double_click_on_sign_up_creates_one_account_and_one_email(monkeypatch, owner):
    if owner:
        UserFactory(email="ada@example.com", confirmed_at=timezone.now() if owner == "confirmed" else None)
    browser, path = Client(), reverse("accounts:sign-up")
    fields = with_key(browser, path, **SIGN_UP)
    tabs = [tab(browser), tab(browser)]
    with held_until_all_are_there(monkeypatch, UserManager, "by_address", 2):
        answers = post_together([(one, path, fields) for one in tabs])
    assert all(is_done(answer, INBOX) for answer in answers)
    assert User.objects.count() == 1
    assert kinds() == {"account-exists" if owner else "welcome": 1}
    assert memory(answers[0]) == memory(answers[1])
    # A slower second click, on the first page's form.
    late = tab(browser)
    assert memory(late.post(path, fields)) == memory(answers[0])
    assert sum(kinds().values()) == 1
    if not owner:
        User.objects.update(confirmed_at=timezone.now())
    for one in (*tabs, late):
        assert one.get(INBOX).context["confirmed"] is (owner is None)


def test_forms_of_two_devices_are_two_sign_ups():
    for device in (Client(), Client()):
        path = reverse("accounts:sign-up")
        device.post(path, with_key(device, path, **SIGN_UP))
    assert kinds() == {"welcome": 1, "account-exists": 1}


def test_two_tabs_of_one_browser_are_one_sign_up():
    browser, path = Client(), reverse("accounts:sign-up")
    forms = [with_key(browser, path, **SIGN_UP) for _ in range(2)]
    for form in forms:
        browser.post(path, form)
    assert (User.objects.count(), kinds()) == (1, {"welcome": 2})


def test_one_form_with_two_addresses_is_two_sign_ups():
    # After the back button, with another address.
    browser, path = Client(), reverse("accounts:sign-up")
    fields = with_key(browser, path, **SIGN_UP)
    for address in ("ada@example.com", "ada@example.org"):
        browser.post(path, fields | {"email": address})
    assert (User.objects.count(), kinds()) == (2, {"welcome": 2})
    assert len(set(User.objects.values_list("sign_up", flat=True))) == 2


def test_double_click_on_a_corrected_address_is_one_sign_up(monkeypatch):
    browser = Client()
    browser.post(reverse("accounts:sign-up"), SIGN_UP)
    path = reverse("accounts:correct-address")
    fields = with_key(browser, path, **SIGN_UP) | {"email": "ada@example.org"}
    with held_until_all_are_there(monkeypatch, UserManager, "by_address", 2):
        answers = post_together([(tab(browser), path, fields) for _ in range(2)])
    assert all(is_done(answer, INBOX) for answer in answers)
    assert (User.objects.count(), kinds()) == (2, {"welcome": 2})
    assert memory(answers[0]) == memory(answers[1])


@pytest.mark.parametrize("owner", [True, False])
def test_double_click_on_resend_sends_one_email(monkeypatch, owner):
    monkeypatch.setattr("accounts.flows.sign_up_cookie.PAUSE_S", 0)
    if owner:
        UserFactory(email="ada@example.com", confirmed_at=timezone.now())
    browser = Client()
    browser.post(reverse("accounts:sign-up"), SIGN_UP)
    with held_until_all_are_there(monkeypatch, UserManager, "by_address", 2):
        answers = post_together([(tab(browser), reverse("accounts:resend"), {}) for _ in range(2)])
    assert sum(kinds().values()) == 2
    assert memory(answers[0]) == memory(answers[1])
    browser.cookies.update(answers[0].cookies)
    browser.post(reverse("accounts:resend"))
    assert sum(kinds().values()) == 3


@pytest.mark.parametrize("owner", [True, False])
@pytest.mark.parametrize(("name", "kind"), [("confirm-again", "welcome"), ("password-reset", "password-reset")])
def test_double_click_on_a_request_enqueues_one_email(monkeypatch, name, kind, owner):
    if owner:
        UserFactory(email="ada@example.com")
    browser, path = Client(), reverse(f"accounts:{name}")
    fields = with_key(browser, path, email="ada@example.com")
    with held_until_all_are_there(monkeypatch, UserManager, "by_address", 2):
        post_together([(tab(browser), path, fields) for _ in range(2)])
    assert kinds() == {kind: 1}
    browser.post(path, with_key(browser, path, email="ada@example.com"))
    assert kinds() == {kind: 2}


class Named(FormWithKey):
    pass


def named(key):
    form = Named({"idempotency_key": key})
    assert form.is_valid()
    return form


def test_form_left_open_sends_another_email(settings):
    now = 1_800_000_000
    with time_machine.travel(now, tick=False):
        key = form_key.new_key()
        first = named(key)
    with time_machine.travel(now + form_key.REPEAT_AFTER_S - 1, tick=False):
        assert named(key).reference("a@example.com") == first.reference("a@example.com")
        assert named(key).reference("b@example.com") != first.reference("a@example.com")
    with time_machine.travel(now + form_key.REPEAT_AFTER_S, tick=False):
        assert named(key).reference("a@example.com") != first.reference("a@example.com")
        assert named(key).account("a@example.com") == first.account("a@example.com")
    with time_machine.travel(now + form_key.AGE_S + 1, tick=False):
        assert named(key).account("a@example.com") != first.account("a@example.com")


@pytest.mark.parametrize("key", ["", "made up", "\x00", "ä:b:c", "x" * 100_000, "WzEsMl0:1:2"])
def test_form_with_a_forged_key_has_its_effect_each_time(key):
    assert named(key).reference("a@example.com") != named(key).reference("a@example.com")
