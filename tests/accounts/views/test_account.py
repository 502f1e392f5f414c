"""A member's account pages."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertTemplateUsed

from accounts.flows.address import masked
from accounts.links import address_change_path, confirmation_path
from accounts.models import User
from notifications.models import Message
from tests.accounts.pages import codes, notices
from tests.factories import MessageFactory, UserFactory

NEW_PASSWORD = "a much newer password"

pytestmark = pytest.mark.django_db
HOME = reverse("accounts:home")
PASSWORD_CHANGE = reverse("accounts:password-change")
ADDRESS_CHANGE = reverse("accounts:address-change")
PREFERENCES = reverse("accounts:preferences")
DELETE = reverse("accounts:delete")
PASSWORD = "correct horse battery"


@pytest.fixture
def user():
    user = User(email="ada@example.com", name="Ada", confirmed_at=timezone.now())
    user.set_password(PASSWORD)
    User.objects.bulk_create([user])
    return User.objects.get()


@pytest.fixture
def member(client, user):
    client.post(reverse("accounts:log-in"), {"username": user.email, "password": PASSWORD})
    return client


def message(kind):
    return Message.objects.get(kind=kind)


@pytest.mark.parametrize("path", [PASSWORD_CHANGE, ADDRESS_CHANGE, PREFERENCES, DELETE])
def test_pages_require_log_in(path):
    for method in ("get", "post"):
        answer = getattr(Client(), method)(path)
        assert answer["Location"] == f"{reverse('accounts:log-in')}?next={path}"


def test_account_page_shows_the_members_emails_and_their_status(member, user):
    MessageFactory(user=user, kind="password-reset", status="sent", sent_at=timezone.now(), outcome="delivered")
    MessageFactory(user=user, kind="welcome", to_address="old@example.com", status="cancelled")
    MessageFactory(user=UserFactory(email="bob@example.com"))
    page = member.get(HOME)
    assert {(email.address, email.progress.value) for email in page.context["emails"]} == {
        ("ada@example.com", "delivered"),
        ("old@example.com", "failed"),
    }
    text = page.content.decode()
    assert re.findall(r'data-progress="(\w+)"', text) == [email.progress.value for email in page.context["emails"]]
    assert "old@example.com" in text
    assert "bob@example.com" not in text


def test_password_change_keeps_only_this_session(member, user):
    elsewhere = Client()
    elsewhere.force_login(user)
    fields = {"current_password": PASSWORD, "password": NEW_PASSWORD}
    page = member.post(PASSWORD_CHANGE, fields, follow=True)
    assert notices(page) == ["password-saved"]
    user.refresh_from_db()
    assert user.check_password(NEW_PASSWORD)
    assert elsewhere.get(PREFERENCES).status_code == 302
    assert message("password-changed").to_address == "ada@example.com"


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (PASSWORD_CHANGE, {"password": NEW_PASSWORD}),
        (ADDRESS_CHANGE, {"email": "new@example.com"}),
        (DELETE, {}),
    ],
)
@pytest.mark.parametrize("current", ["", "wrong", "\x00", "x" * 5000])
def test_changes_require_the_current_password(member, user, path, fields, current):
    page = member.post(path, {"current_password": current, **fields})
    assert page.status_code == 200
    assert 'aria-invalid="true"' in page.content.decode()
    found = User.objects.get()
    assert (found.password, found.email, found.new_email) == (user.password, "ada@example.com", "")
    assert not Message.objects.exists()


def ask_for(member, address="new@example.com"):
    return member.post(ADDRESS_CHANGE, {"email": address, "current_password": PASSWORD}, follow=True)


def the_notice(page):
    (notice,) = page.context["messages"]
    return str(notice)


def test_new_address_replaces_the_old_after_confirming_and_the_old_one_is_notified(member, user):
    page = ask_for(member, "New@Example.com")
    assert "new@example.com" in the_notice(page)
    assert message("address-change").to_address == "new@example.com"
    user.refresh_from_db()
    assert (user.email, user.new_email) == ("ada@example.com", "new@example.com")

    link = address_change_path(user)
    assert 'method="post"' in member.get(link).content.decode()
    user.refresh_from_db()
    assert user.email == "ada@example.com"
    member.post(link)
    user.refresh_from_db()
    assert (user.email, user.new_email) == ("new@example.com", "")
    notice = message("address-changed")
    assert (notice.to_address, notice.context) == ("ada@example.com", {"new_address": "n…w@example.com"})
    assert member.post(link).status_code == 410
    assert member.get(PREFERENCES).status_code == 200


def test_reader_of_a_mistyped_address_does_not_get_the_account(member, user):
    ask_for(member)
    user.refresh_from_db()
    link = address_change_path(user)
    other = Client()
    other.force_login(UserFactory(email="eve@example.com"))
    for reader in (Client(), other):
        for page in (reader.get(link), reader.post(link)):
            assert page.status_code == 403
            assertTemplateUsed(page, "accounts/address_log_in.html")
            assert "ada@example.com" not in page.content.decode()
    assert User.objects.filter(email="ada@example.com").exists()


def test_address_of_another_account_is_not_changed_and_the_page_does_not_reveal_it(member, user):
    owner = UserFactory(email="bob@example.com")
    page = ask_for(member, "bob@example.com")
    assert "bob@example.com" in the_notice(page)
    assert message("account-exists").user == owner
    assert not Message.objects.filter(kind="address-change").exists()
    # The list of emails does not reveal it either.
    before = member.get(HOME)
    MessageFactory(user=user, kind="address-change", to_address="free@example.com")
    assert "free@example.com" not in member.get(HOME).content.decode()
    assert not before.context["emails"]


def test_address_confirmed_by_another_user_meanwhile_is_taken(member, user):
    ask_for(member)
    user.refresh_from_db()
    link = address_change_path(user)
    UserFactory(email="new@example.com")
    page = member.post(link)
    assert page.status_code == 409
    assertTemplateUsed(page, "accounts/address_taken.html")
    user.refresh_from_db()
    assert user.email == "ada@example.com"


def test_current_address_is_rejected_as_new_one(member):
    assert codes(ask_for(member, "ADA@example.com"), "email") == {"unchanged"}
    assert not Message.objects.exists()


@pytest.mark.parametrize("change", [{"new_email": "other@example.com"}, {"password": "!"}, {"is_active": False}])
def test_link_is_invalid_after_its_account_changes(member, user, change):
    ask_for(member)
    user.refresh_from_db()
    link = address_change_path(user)
    User.objects.update(**change)
    assert member.post(link).status_code in {403, 410}
    assert User.objects.get().email == "ada@example.com"


def test_link_expires_and_confirms_nothing_else(member, user, settings):
    ask_for(member)
    user.refresh_from_db()
    link = address_change_path(user)
    token = confirmation_path(user).split("/")[-2]
    assert member.post(link.rsplit("/", 2)[0] + f"/{token}/").status_code == 410
    with time_machine.travel(timezone.now() + settings.CONFIRMATION_TIMEOUT + timedelta(minutes=1)):
        assert member.get(link).status_code in {403, 410}
    assert User.objects.get().email == "ada@example.com"


def test_member_can_cancel_the_change(member, user):
    page = ask_for(member)
    assert reverse("accounts:address-stay") in page.content.decode()
    user.refresh_from_db()
    link = address_change_path(user)
    member.post(reverse("accounts:address-stay"))
    assert User.objects.get().new_email == ""
    assert member.post(link).status_code == 410


def test_preferences_are_saved_and_pages_are_in_the_language(member, user):
    answer = member.post(PREFERENCES, {"name": "Ada L.", "language": "de"})
    assert answer["Location"] == HOME
    assert answer.cookies["django_language"].value == "de"
    user.refresh_from_db()
    assert (user.name, user.language, user.wants_news) == ("Ada L.", "de", False)


@pytest.mark.parametrize("fields", [{"language": "xx"}, {"name": "a\nb", "language": "de"}, {"is_staff": "1"}])
def test_invalid_preferences_are_rejected(member, user, fields):
    assert member.post(PREFERENCES, fields).status_code == 200
    found = User.objects.get()
    assert (found.name, found.language, found.is_staff) == ("Ada", "", False)


def test_deleting_an_account_sends_a_confirmation(member, user):
    answer = member.post(DELETE, {"current_password": PASSWORD}, follow=True)
    assertTemplateUsed(answer, "accounts/deleted.html")
    assert not User.objects.exists()
    assert "_auth_user_id" not in member.session
    farewell = message("account-deleted")
    assert (farewell.to_address, farewell.user) == ("ada@example.com", None)
    assert farewell.context["name"] == "Ada"


def test_administrator_cannot_delete_the_account(member, user):
    User.objects.update(is_staff=True)
    member.post(DELETE, {"current_password": PASSWORD})
    assert User.objects.exists()


@pytest.mark.parametrize(
    ("address", "shown"),
    [("ada@example.com", "a…a@example.com"), ("al@x.example", "a…@x.example"), ("a@x.example", "a…@x.example")],
)
def test_address_is_masked(address, shown):
    assert masked(address) == shown
