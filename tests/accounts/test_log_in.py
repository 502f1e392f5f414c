import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User

pytestmark = pytest.mark.django_db
URL = reverse("accounts:log-in")


@pytest.fixture
def user():
    return User.objects.create_user("ada@example.com", "a good password")


def log_in(client, address, password="a good password", **more):
    return client.post(URL, {"username": address, "password": password, **more})


@pytest.mark.parametrize("typed", ["ada@example.com", "ADA@Example.com", " ada@example.com "])
def test_address_is_the_login(client, user, typed):
    assert log_in(client, typed)["Location"] == reverse("accounts:home")
    assert "ada@example.com" in client.get("/").content.decode()


@pytest.mark.parametrize(
    ("typed", "password"),
    [("ada@example.com", "wrong"), ("bob@example.com", "a good password"), ("nonsense", "x"), ("a\x00b", "x")],
)
def test_what_does_not_match_is_refused(client, user, typed, password):
    page = log_in(client, typed, password)
    assert page.status_code == 200
    assert "_auth_user_id" not in client.session


def test_closed_account_is_refused(client, user):
    User.objects.update(is_active=False)
    assert log_in(client, "ada@example.com").status_code == 200
    assert "_auth_user_id" not in client.session


def test_next_leads_nowhere_else(client, user):
    assert log_in(client, "ada@example.com", next="https://evil.example/")["Location"] == reverse("accounts:home")


def test_log_out_needs_a_post(client, user):
    client.force_login(user)
    assert client.get(reverse("accounts:log-out")).status_code == 405
    assert "_auth_user_id" in client.session
    client.post(reverse("accounts:log-out"))
    assert "_auth_user_id" not in client.session


def test_pages_are_not_cached(user):
    for path in ("/", URL, reverse("accounts:sign-up"), reverse("accounts:password-reset")):
        assert "no-" in Client().get(path).get("Cache-Control", "no-"), path
