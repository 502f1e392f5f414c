from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from notifications.models import Message
from tests.accounts.pages import codes

URL = reverse("accounts:sign-up")
PASSWORD = "correct horse battery"


def sign_up(client, **fields):
    return client.post(URL, {"email": "ada@example.com", "name": "", "password": PASSWORD, **fields})


@pytest.mark.django_db
def test_page_shows_a_form(client):
    page = client.get(URL)
    assert page.status_code == 200
    assert b'autocomplete="new-password"' in page.content


@pytest.mark.django_db
def test_sign_up_saves_the_user_and_leads_to_the_inbox_page(client):
    answer = sign_up(client, email="Ada@Example.com", name="Ada O’Brien-Lovelace")
    assert (answer.status_code, answer["Location"]) == (302, reverse("accounts:check-inbox"))
    user = User.objects.get()
    assert (user.email, user.name, user.confirmed_at) == ("ada@example.com", "Ada O’Brien-Lovelace", None)
    assert user.check_password(PASSWORD)
    assert "ada@example.com" in client.get(answer["Location"]).content.decode()


@pytest.mark.django_db
def test_sign_up_enqueues_an_email(client):
    sign_up(client)
    message = Message.objects.get()
    assert (message.kind, message.stream, message.status) == ("welcome", "default", "queued")
    assert message.idempotency_key == f"welcome:{User.objects.get().pk}:ada@example.com"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"email": ""}, "required"),
        ({"email": "ada"}, "no_at_sign"),
        ({"email": "ada@example.com, bob@example.com"}, "several"),
        ({"email": "ada@example.com\nbob@example.com"}, "control_characters"),
        ({"email": "a" * 300 + "@example.com"}, "max_length"),
        ({"name": "Ada\r\nBcc: bob@example.com"}, "control_characters"),
        ({"name": "A" * 51}, "max_length"),
        ({"name": "A\x00da"}, "null_characters_not_allowed"),
        ({"password": ""}, "required"),
        ({"password": "12345"}, "password_too_short"),
        ({"password": "ada@example.com"}, "password_too_similar"),
        ({"password": "p" * 1025}, "max_length"),
    ],
)
def test_typo_is_reported_at_its_field_and_nothing_is_saved(client, fields, code):
    page = sign_up(client, **fields)
    assert page.status_code == 200
    assert code in codes(page, *fields)
    assert 'aria-invalid="true"' in page.content.decode()
    assert not User.objects.exists()
    assert not Message.objects.exists()


@pytest.mark.django_db
def test_taken_address_is_reported_to_its_owner_only(client):
    sign_up(client, name="Ada")
    answer = sign_up(Client(), email="ADA@example.com", name="Eve", password="another password")
    assert answer["Location"] == reverse("accounts:check-inbox")
    user = User.objects.get()
    assert (user.name, user.check_password(PASSWORD)) == ("Ada", True)
    message = Message.objects.get(kind="account-exists")
    assert (message.to_address, message.user, message.context) == ("ada@example.com", user, {})


@pytest.mark.django_db(transaction=True)
def test_address_taken_meanwhile_is_reported_to_its_owner():
    def one(number):
        try:
            return sign_up(Client(), name="Ada" + "a" * number).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as people:
        statuses = sorted(people.map(one, range(4)))
    assert statuses == [302] * 4
    assert User.objects.count() == 1
    assert Counter(Message.objects.values_list("kind", flat=True)) == {"welcome": 1, "account-exists": 3}


@pytest.mark.django_db
def test_same_browser_can_sign_up_again_before_confirming(client):
    sign_up(client, name="Aad")
    sign_up(client, name="Ada", password="a second thought")
    user = User.objects.get()
    assert (user.name, user.check_password("a second thought")) == ("Ada", True)
    assert list(Message.objects.values_list("kind", flat=True)) == ["welcome", "welcome"]


@pytest.mark.django_db
def test_sign_up_does_not_change_a_confirmed_account(client):
    sign_up(client, name="Ada")
    User.objects.update(confirmed_at=timezone.now())
    sign_up(client, name="Eve", password="a second thought")
    user = User.objects.get()
    assert (user.name, user.check_password(PASSWORD)) == ("Ada", True)
    assert Message.objects.filter(kind="account-exists").count() == 1


@pytest.mark.django_db
def test_logged_in_user_is_redirected_home(client):
    client.force_login(User.objects.create_user("ada@example.com"))
    assert client.get(URL)["Location"] == reverse("accounts:home")


@pytest.mark.django_db
def test_form_of_another_site_is_rejected():
    page = sign_up(Client(enforce_csrf_checks=True))
    assert page.status_code == 403
    assert not User.objects.exists()


@pytest.mark.django_db
def test_bot_gets_the_same_answer_and_no_account(client):
    answer = sign_up(client, subject="cheap pills")
    assert answer["Location"] == reverse("accounts:check-inbox")
    assert "ada@example.com" in client.get(answer["Location"]).content.decode()
    assert not User.objects.exists()
    assert not Message.objects.exists()
