import pytest
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from accounts.flows import passwords
from accounts.links import password_reset_path
from accounts.models import User
from accounts.views.passwords import RESET_COOKIE
from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import deliver
from notifications.models import Message
from notifications.rules.states import Stream
from tests.factories import UserFactory

NEW_PASSWORD = "a much newer password"

pytestmark = pytest.mark.django_db
URL = reverse("accounts:password-reset")
CARRIER = Carrier(task_id="task", worker="worker")


@pytest.fixture
def user():
    user = User.objects.create_user("ada@example.com", "the old password")
    Message.objects.all().delete()
    return user


def ask(client, address):
    return client.post(URL, {"email": address})


def test_reset_is_enqueued_on_the_critical_stream(client, user):
    answer = ask(client, "ADA@example.com")
    assert answer["Location"] == reverse("accounts:password-reset-done")
    message = Message.objects.get()
    assert (message.kind, message.stream, message.to_address) == ("password-reset", "critical", "ada@example.com")
    assert message.user == user


def test_request_creates_no_token(client, user, monkeypatch):
    def mint(*args):
        raise AssertionError("a token was made in the request")

    monkeypatch.setattr(PasswordResetTokenGenerator, "make_token", mint)
    ask(client, "ada@example.com")
    assert Message.objects.get().context == {}


def test_address_without_an_account_is_enqueued_too(client, user):
    # The worker decides whether to send it.
    answer = ask(client, "bob@example.com")
    assert answer["Location"] == reverse("accounts:password-reset-done")
    message = Message.objects.get()
    assert (message.kind, message.to_address, message.user) == ("password-reset", "bob@example.com", None)


@pytest.mark.parametrize("change", [{"is_active": False}, {"email": "other@example.com"}])
def test_user_who_may_not_log_in_gets_no_email(client, user, change, valkey, provider):
    User.objects.filter(pk=user.pk).update(**change)
    ask(client, "ada@example.com")
    deliver([Message.objects.get().id], Stream.CRITICAL, CARRIER)
    assert Message.objects.get().status == "cancelled"
    assert not provider.taken


@pytest.mark.parametrize("typed", ["", "ada", "a@example.com,b@example.com", "a@example.com\r\nb@example.com"])
def test_typo_is_reported(client, user, typed):
    page = ask(client, typed)
    assert page.status_code == 200
    assert 'aria-invalid="true"' in page.content.decode()
    assert not Message.objects.exists()


def test_link_sets_a_new_password_once(client, user):
    path = password_reset_path(user)
    form = client.get(path, follow=True)
    where = form.redirect_chain[-1][0]
    assert path not in where
    answer = client.post(where, {"password": NEW_PASSWORD})
    assert answer["Location"] == reverse("accounts:password-reset-complete")
    user.refresh_from_db()
    assert user.check_password(NEW_PASSWORD)
    assert not client.get(path, follow=True).context["validlink"]


def test_new_password_notifies_confirms_the_address_and_cancels_a_change(client, user):
    User.objects.update(new_email="new@example.com")
    where = client.get(password_reset_path(user), follow=True).redirect_chain[-1][0]
    client.post(where, {"password": NEW_PASSWORD})
    user.refresh_from_db()
    assert user.confirmed_at is not None
    assert user.new_email == ""
    assert Message.objects.get().kind == "password-changed"


def test_consent_of_another_persons_sign_up_does_not_hold(user):
    strangers = UserFactory(email="eve@example.com", wants_news=True)
    assert passwords.reset_password(strangers, NEW_PASSWORD)
    strangers.refresh_from_db()
    assert (strangers.confirmed_at is not None, strangers.wants_news) == (True, False)
    User.objects.filter(pk=user.pk).update(confirmed_at=timezone.now(), wants_news=True)
    assert passwords.reset_password(User.objects.get(pk=user.pk), NEW_PASSWORD)
    user.refresh_from_db()
    assert user.wants_news


def test_weak_password_is_rejected(client, user):
    where = client.get(password_reset_path(user), follow=True).redirect_chain[-1][0]
    page = client.post(where, {"password": "12345678"})
    assert page.status_code == 200
    user.refresh_from_db()
    assert user.check_password("the old password")


def test_reset_does_not_reactivate_an_account(client, user):
    where = client.get(password_reset_path(user), follow=True).redirect_chain[-1][0]
    User.objects.filter(pk=user.pk).update(is_active=False)
    client.post(where, {"password": NEW_PASSWORD})
    user.refresh_from_db()
    assert not user.is_active


@pytest.mark.parametrize("path", ["MQ/abc-def/", "!!/x/", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5/1-2/"])
def test_forged_link_is_rejected(client, user, path):
    page = client.get(f"{URL}{path}", follow=True)
    assert page.status_code == 200
    assert not page.context["validlink"]


def test_open_form_stores_no_token(client, user):
    path = password_reset_path(user)
    client.get(path, follow=True)
    token = path.rstrip("/").rpartition("/")[2]
    assert token not in str([session.get_decoded() for session in Session.objects.all()])
    cookie = client.cookies[RESET_COOKIE]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (URL, True, "Lax")


@pytest.mark.parametrize("cookie", ["", "forged", "a:b:c"])
def test_forged_cookie_opens_no_form(client, user, cookie):
    where = client.get(password_reset_path(user), follow=True).redirect_chain[-1][0]
    client.cookies[RESET_COOKIE] = cookie
    client.post(where, {"password": NEW_PASSWORD})
    user.refresh_from_db()
    assert user.check_password("the old password")


@pytest.mark.parametrize("password", ["", "!", "!abc", "no-such-hasher$1$2"])
def test_account_without_a_password_gets_its_first_by_the_link(client, valkey, provider, password):
    # Created by the admin's form, `create_user(email)` or an import.
    imported = UserFactory(email="ada@example.com", password=password)
    ask(client, "ada@example.com")
    deliver([Message.objects.get().id], Stream.CRITICAL, CARRIER)
    assert Message.objects.get().status == "sent"
    where = client.get(password_reset_path(imported), follow=True).redirect_chain[-1][0]
    assert client.post(where, {"password": "a first password"})["Location"] == f"{URL}complete/"
    log_in = {"username": "ada@example.com", "password": "a first password"}
    assert client.post(reverse("accounts:log-in"), log_in)["Location"] == reverse("accounts:home")
