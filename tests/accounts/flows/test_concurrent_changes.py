"""An account is deleted, deactivated or changed between a form's check and its write."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.admin import PasswordForm, UserAdmin
from accounts.flows import confirming
from accounts.links import confirmation_path
from accounts.models import User
from notifications.models import Message
from tests.accounts.racing import held_until_all_are_there, post_together, tab
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "correct horse battery"
CHANGES = {"deleted": None, "inactive": {"is_active": False}, "another password": {"password": "!"}}


@pytest.fixture
def user():
    user = UserFactory(email="ada@example.com", name="Ada")
    user.set_password(PASSWORD)
    user.save()
    return user


def happens(change, pk):
    rows = User.objects.filter(pk=pk)
    if change is None:
        rows._raw_delete("default")
    else:
        rows.update(**change)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_confirmation_link_logs_no_one_in_when_the_account_changes_meanwhile(user, monkeypatch, change):
    confirm = confirming.confirm_address

    def slowly(user):
        is_done = confirm(user)
        happens(change, user.pk)
        return is_done

    monkeypatch.setattr(confirming, "confirm_address", slowly)
    client = Client()
    assert client.post(confirmation_path(user), {"password": PASSWORD}).status_code < 500
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("where", ["accounts:log-in", "admin:login"])
def test_log_in_shows_no_member_page_when_the_account_changes_meanwhile(user, monkeypatch, change, where):
    User.objects.update(is_staff=True)
    check = User.check_password

    def slowly(self, password):
        is_right = check(self, password)
        happens(change, self.pk)
        return is_right

    monkeypatch.setattr(User, "check_password", slowly)
    client = Client()
    assert client.post(reverse(where), {"username": user.email, "password": PASSWORD}).status_code == 302
    assert not client.get(reverse("accounts:home")).context["user"].is_authenticated


def test_log_in_sets_last_login(user):
    User.objects.update(confirmed_at=timezone.now())
    Client().post(reverse("accounts:log-in"), {"username": user.email, "password": PASSWORD})
    user.refresh_from_db()
    assert user.last_login is not None


# --- By operators ----------------------------------------------------------------------------------------------------


def edited(client, user, **fields):
    path = reverse("admin:accounts_user_change", args=[user.pk])
    return client.post(path, {"email": user.email, "name": user.name, "is_active": "on", **fields})


def test_edit_writes_only_changed_fields(admin_client, user, monkeypatch):
    save = UserAdmin.save_model

    def slowly(self, request, obj, *args):
        happens({"password": "!new", "new_email": "new@example.com"}, obj.pk)
        save(self, request, obj, *args)

    monkeypatch.setattr(UserAdmin, "save_model", slowly)
    assert edited(admin_client, user, name="Eve").status_code == 302
    user.refresh_from_db()
    assert (user.name, user.password, user.new_email) == ("Eve", "!new", "new@example.com")


def test_outdated_admin_page_does_not_revert_an_address(admin_client, user):
    page = admin_client.get(reverse("admin:accounts_user_change", args=[user.pk]))
    assert 'name="initial-email" value="ada@example.com"' in page.content.decode()
    happens({"email": "new@example.com"}, user.pk)
    edited(admin_client, user, name="Eve", **{"initial-email": "ada@example.com"})
    user.refresh_from_db()
    assert (user.name, user.email) == ("Eve", "new@example.com")
    assert not Message.objects.filter(kind="address-changed").exists()


def test_edit_reports_an_account_deleted_meanwhile(admin_client, user, monkeypatch):
    save = UserAdmin.save_model

    def slowly(self, request, obj, *args):
        happens(None, obj.pk)
        save(self, request, obj, *args)

    monkeypatch.setattr(UserAdmin, "save_model", slowly)
    page = admin_client.get(edited(admin_client, user, name="Eve")["Location"])
    assert [message.level_tag for message in page.context["messages"]] == ["warning"]


def test_double_click_on_add_creates_one_account(admin_client, monkeypatch):
    path, fields = reverse("admin:accounts_user_add"), {"email": "x@example.com", "usable_password": "false"}
    with held_until_all_are_there(monkeypatch, UserAdmin, "save_model", 2):
        answers = post_together([(tab(admin_client), path, fields) for _ in range(2)])
    assert [answer.status_code for answer in answers] == [302, 302]
    assert User.objects.filter(email="x@example.com").count() == 1


def test_two_operators_give_an_address_to_one_account(admin_client, user, monkeypatch):
    people = [user, UserFactory()]
    paths = [reverse("admin:accounts_user_change", args=[one.pk]) for one in people]
    fields = {"email": "taken@example.com", "is_active": "on"}
    with held_until_all_are_there(monkeypatch, UserAdmin, "save_model", 2):
        answers = post_together([(tab(admin_client), path, fields) for path in paths])
    assert [answer.status_code for answer in answers] == [302, 302]
    assert User.objects.filter(email="taken@example.com").count() == 1
    assert Message.objects.filter(kind="address-changed").count() == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"usable_password": "true", "password1": "another horse", "password2": "another horse"},
        {"usable_password": "false", "unset-password": "1"},
    ],
)
def test_double_click_on_a_users_password_notifies_them_once(admin_client, user, monkeypatch, fields):
    path = reverse("admin:auth_user_password_change", args=[user.pk])
    with held_until_all_are_there(monkeypatch, PasswordForm, "save", 2):
        answers = post_together([(tab(admin_client), path, fields) for _ in range(2)])
    assert [answer.status_code for answer in answers] == [302, 302]
    assert Message.objects.filter(kind="password-changed").count() == 1


def test_password_form_reports_an_account_deleted_meanwhile(admin_client, user, monkeypatch):
    save = PasswordForm.save

    def slowly(form, commit=True):
        happens(None, form.user.pk)
        return save(form, commit)

    monkeypatch.setattr(PasswordForm, "save", slowly)
    path = reverse("admin:auth_user_password_change", args=[user.pk])
    fields = {"usable_password": "true", "password1": "another horse", "password2": "another horse"}
    page = admin_client.get(admin_client.post(path, fields)["Location"])
    assert [message.level_tag for message in page.context["messages"]] == ["warning"]
