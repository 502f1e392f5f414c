import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.flows.sign_up_cookie import COOKIE
from accounts.models import User
from accounts.views.next_page import EXCLUDED

pytestmark = pytest.mark.django_db
URL = reverse("accounts:log-in")


@pytest.fixture
def user():
    return User.objects.create_user("ada@example.com", "a good password", confirmed_at=timezone.now())


def log_in(client, address, password="a good password", **more):
    return client.post(URL, {"username": address, "password": password, **more})


def without_csrf(content):
    return re.sub(rb'name="csrfmiddlewaretoken" value="[^"]+"', b"", content)


@pytest.mark.parametrize("typed", ["ada@example.com", "ADA@Example.com", " ada@example.com "])
def test_address_is_the_user_name(client, user, typed):
    assert log_in(client, typed)["Location"] == reverse("accounts:home")
    assert "ada@example.com" in client.get("/").content.decode()


@pytest.mark.parametrize(
    ("typed", "password"),
    [("ada@example.com", "wrong"), ("bob@example.com", "a good password"), ("nonsense", "x"), ("a\x00b", "x")],
)
def test_wrong_password_or_address_is_rejected(client, user, typed, password):
    page = log_in(client, typed, password)
    assert page.status_code == 200
    assert "_auth_user_id" not in client.session


def test_inactive_account_is_rejected(client, user):
    User.objects.update(is_active=False)
    assert log_in(client, "ada@example.com").status_code == 200
    assert "_auth_user_id" not in client.session


def test_unconfirmed_account_has_the_error_of_a_wrong_password(client, user):
    # Otherwise a sign-up and a log-in would reveal whether the address had an account.
    User.objects.update(confirmed_at=None)
    refused = log_in(client, "ada@example.com").content
    assert "_auth_user_id" not in client.session
    wrong = log_in(Client(), "ada@example.com", "wrong").content
    assert without_csrf(refused) == without_csrf(wrong)


def test_administrator_needs_no_confirmation(client, user):
    User.objects.update(confirmed_at=None, is_staff=True)
    assert log_in(client, "ada@example.com").status_code == 302


@pytest.mark.parametrize(("remember", "ends_with_browser"), [({}, True), ({"remember": "on"}, False)])
def test_session_lasts_as_requested(client, user, remember, ends_with_browser):
    log_in(client, "ada@example.com", **remember)
    assert client.session.get_expire_at_browser_close() is ends_with_browser
    assert bool(client.cookies["sessionid"]["max-age"]) is not ends_with_browser


def test_pages_are_in_the_members_language(client, user):
    User.objects.update(language="de")
    log_in(client, "ada@example.com")
    assert client.cookies["django_language"].value == "de"


def test_unsafe_next_is_ignored(client, user):
    assert log_in(client, "ada@example.com", next="https://evil.example/")["Location"] == reverse("accounts:home")


def test_log_out_requires_a_post(client, user):
    client.force_login(user)
    assert client.get(reverse("accounts:log-out")).status_code == 405
    assert "_auth_user_id" in client.session
    client.post(reverse("accounts:log-out"))
    assert "_auth_user_id" not in client.session


def test_pages_are_not_cached(user):
    for path in ("/", URL, reverse("accounts:sign-up"), reverse("accounts:password-reset")):
        assert "no-" in Client().get(path).get("Cache-Control", "no-"), path


@pytest.mark.parametrize("name", EXCLUDED)
def test_next_without_a_page_leads_home(client, user, name):
    assert log_in(client, "ada@example.com", next=reverse(name))["Location"] == reverse("accounts:home")


def test_next_of_any_characters_fits_into_the_sign_up_cookie(client):
    domain = ".".join(["b" * 60] * 3) + ".com"
    fields = {"email": f"{'a' * 60}@{domain}", "name": "\u0939" * 50, "password": "correct horse battery"}
    client.post(reverse("accounts:sign-up"), fields | {"next": "/" + "\U0001f4a3" * 299})
    assert len(client.cookies[COOKIE].value) < 4_000
