from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.tokens import default_token_generator
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertTemplateUsed

from accounts.flows.sign_up_cookie import PendingSignUp
from accounts.links import confirmation_path
from accounts.models import User
from notifications.models import Message
from tests.accounts.pages import notices

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


STARTED = PendingSignUp(address="ada@example.com")


@pytest.fixture
def user():
    return User.objects.create_user("ada@example.com", PASSWORD, sign_up=STARTED.account)


@pytest.fixture
def client(client):
    """The browser that signed up."""
    STARTED.save(response := HttpResponse())
    client.cookies.update(response.cookies)
    return client


def confirmed(user):
    user.refresh_from_db()
    return user.confirmed_at is not None


def test_get_only_shows_a_button(client, user):
    page = client.get(confirmation_path(user))
    assert page.status_code == 200
    assert 'method="post"' in page.content.decode()
    assert not confirmed(user)


def test_post_confirms_and_the_used_link_shows_it(client, user):
    path = confirmation_path(user)
    answer = client.post(path, follow=True)
    assert confirmed(user)
    assert notices(answer) == ["address-confirmed"]
    assertTemplateUsed(client.get(path), "accounts/confirmed.html")


def test_second_post_changes_nothing(client, user):
    path = confirmation_path(user)
    client.post(path)
    user.refresh_from_db()
    first = user.confirmed_at
    client.post(path)
    user.refresh_from_db()
    assert user.confirmed_at == first


def test_link_of_another_address_is_rejected(client, user):
    path = confirmation_path(user)
    User.objects.filter(pk=user.pk).update(email="ada@elsewhere.example")
    assert client.post(path).status_code == 410
    assert not confirmed(user)


def test_expired_link_is_rejected(client, user, settings):
    path = confirmation_path(user)
    with time_machine.travel(timezone.now() + settings.CONFIRMATION_TIMEOUT + timedelta(minutes=1)):
        page = client.get(path)
        assert page.status_code == 410
        # The page shows the address, so that one click requests another link.
        assert 'value="ada@example.com"' in page.content.decode()
        assert client.post(path).status_code == 410
    assert not confirmed(user)


@pytest.mark.parametrize(
    ("uid", "token"),
    [
        ("MQ", "made-up"),
        ("!!!", "c1-x"),
        ("////", "-"),
        ("A" * 500, "a-b"),
        ("OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "1-2"),
        ("MQ", "zzzzzzzzzzzzzzzzzzzzzzzz-x"),
        ("\x00", "\x00"),
    ],
)
def test_forged_link_is_rejected(client, user, uid, token):
    path = f"/confirm/{uid}/{token}/"
    page = client.get(path)
    assert page.status_code in {404, 410}
    assert "ada@example.com" not in page.content.decode()
    assert client.post(path).status_code in {404, 410}
    assert not confirmed(user)


def test_link_works_after_the_secret_key_was_rotated(client, user, settings):
    path = confirmation_path(user)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new key that is long enough for the checks of settings"
    client.post(path)
    assert confirmed(user)


def test_password_token_confirms_nothing(client, user):
    uid = confirmation_path(user).split("/")[2]
    path = reverse("accounts:confirm", args=[uid, default_token_generator.make_token(user)])
    assert client.post(path).status_code == 410
    assert not confirmed(user)


AGAIN = reverse("accounts:confirm-again")


@pytest.mark.parametrize(
    ("state", "kind", "has_owner"),
    [({}, "welcome", True), ({"confirmed_at": timezone.now()}, "account-exists", True), (None, "welcome", False)],
)
def test_another_link_can_be_requested_and_the_page_is_always_the_same(client, user, state, kind, has_owner):
    Message.objects.all().delete()
    if state is None:
        User.objects.all().delete()
    else:
        User.objects.update(**state)
    answer = client.post(AGAIN, {"email": "Ada@example.com"})
    assert answer["Location"] == reverse("accounts:confirm-again-done")
    message = Message.objects.get()
    assert (message.kind, message.to_address, message.user is not None) == (kind, "ada@example.com", has_owner)
