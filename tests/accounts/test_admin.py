"""Users in the Django admin."""

from io import StringIO

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.management.commands import changepassword
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.models import FormerStaff, User
from notifications.events import suppress
from notifications.models import Message, Suppression
from notifications.rules.suppression import Reason
from tests.accounts.pages import codes
from tests.factories import MessageFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_list_search_and_detail(admin_client):
    user = UserFactory(name="Ada")
    assert user.email in admin_client.get(reverse("admin:accounts_user_changelist"), {"q": "ada"}).content.decode()
    page = admin_client.get(reverse("admin:accounts_user_change", args=[user.pk]))
    assert user.email in page.content.decode()


@pytest.mark.parametrize(
    ("address", "added"), [("Ada@Example.com", True), ("nonsense", False), ("a@example.com\nb@example.com", False)]
)
def test_adding_checks_the_address(admin_client, address, added):
    fields = {"email": address, "usable_password": "true", "password1": "correct horse", "password2": "correct horse"}
    answer = admin_client.post(reverse("admin:accounts_user_add"), fields)
    assert answer.status_code == (302 if added else 200)
    assert User.objects.filter(email="ada@example.com").exists() is added


def test_taken_address_is_reported(admin_client):
    UserFactory(email="ada@example.com")
    fields = {"email": "ADA@example.com", "usable_password": "false"}
    page = admin_client.post(reverse("admin:accounts_user_add"), fields)
    assert codes(page, "email") == {"unique"}


def notices():
    """Return all messages except the administrator's welcome email."""
    return list(Message.objects.exclude(kind="welcome").values_list("kind", "to_address"))


@pytest.mark.parametrize(
    "fields",
    [
        {"usable_password": "true", "password1": "correct horse", "password2": "correct horse"},
        {"usable_password": "false", "unset-password": "1"},
        {"set-password": "1", "password1": "correct horse", "password2": "correct horse"},
    ],
)
def test_owner_is_notified_of_a_password_changed_by_an_administrator(admin_client, fields):
    user = UserFactory(email="ada@example.com")
    user.set_password("an old password")
    user.save()
    answer = admin_client.post(reverse("admin:auth_user_password_change", args=[user.pk]), fields)
    assert answer.status_code == 302
    assert notices() == [("password-changed", "ada@example.com")]


@pytest.mark.parametrize("typed", ["ada@example.com", "ADA@example.com"])
def test_owner_is_notified_of_a_password_changed_by_the_command(monkeypatch, typed):
    user = UserFactory(email="ada@example.com")
    monkeypatch.setattr(changepassword.Command, "_get_pass", lambda self, prompt="": "correct horse battery")
    call_command("changepassword", typed, stdout=StringIO())
    user.refresh_from_db()
    assert user.check_password("correct horse battery")
    assert notices() == [("password-changed", "ada@example.com")]


def test_rejected_password_notifies_no_one(admin_client):
    user = UserFactory()
    fields = {"usable_password": "true", "password1": "a", "password2": "b"}
    admin_client.post(reverse("admin:auth_user_password_change", args=[user.pk]), fields)
    assert notices() == []


def test_old_address_is_notified_of_a_new_one_and_of_nothing_else(admin_client):
    user = UserFactory(email="ada@example.com", name="Ada")
    change = reverse("admin:accounts_user_change", args=[user.pk])
    fields = {"email": "ada@example.com", "name": "Ada L", "is_active": "on"}
    assert admin_client.post(change, fields).status_code == 302
    assert notices() == []
    assert admin_client.post(change, fields | {"email": "countess@example.org"}).status_code == 302
    assert notices() == [("address-changed", "ada@example.com")]
    assert "countess@" not in str(Message.objects.get(kind="address-changed").context)


def test_administrators_change_their_password_in_the_admin(admin_client):
    answer = admin_client.get(reverse("admin:password_change"))
    assert answer["Location"] == reverse("accounts:password-change")


def logged(staff, thing):
    return LogEntry.objects.create(
        user=staff,
        content_type=ContentType.objects.get_for_model(thing),
        object_id=str(thing.pk),
        object_repr=str(thing),
        action_flag=CHANGE,
        change_message="Changed.",
    )


@pytest.mark.parametrize("how", ["the admin's page", "the admin's action", "a shell", "a query"])
def test_log_of_an_operators_actions_outlives_their_account(admin_client, how):
    staff, other, thing = UserFactory(is_staff=True, name="Grace Hopper"), UserFactory(is_staff=True), UserFactory()
    entry, others = logged(staff, thing), logged(other, thing)
    if how == "the admin's page":
        page = reverse("admin:accounts_user_delete", args=[staff.pk])
        assert "Changed." not in admin_client.get(page).content.decode()
        admin_client.post(page, {"post": "yes"})
    elif how == "the admin's action":
        fields = {"action": "delete_selected", "_selected_action": staff.pk, "post": "yes"}
        admin_client.post(reverse("admin:accounts_user_changelist"), fields)
    elif how == "a shell":
        staff.delete()
    else:
        User.objects.filter(pk=staff.pk).delete()
    assert set(User.objects.filter(is_superuser=False)) == {other, thing}
    assert set(LogEntry.objects.filter(object_id=thing.pk).values_list("pk", "user_id")) == {
        (entry.pk, staff.pk if how in {"the admin's page", "the admin's action"} else entry.user_id),
        (others.pk, other.pk),
    }
    # The first page also reports the deletion.
    admin_client.get(reverse("admin:index"))
    log = admin_client.get(reverse("admin:admin_logentry_changelist")).content.decode()
    assert f"Grace Hopper (account {entry.user_id})" in log
    assert staff.email not in log
    assert other.email in log


def test_name_of_a_deleted_account_without_actions_is_not_kept():
    UserFactory(name="Ada").delete()
    assert not FormerStaff.objects.exists()


def test_log_of_an_engines_action_names_its_deleted_operator(admin_client, admin_user):
    User.objects.filter(pk=admin_user.pk).update(name="Grace Hopper")
    message = MessageFactory()
    admin_client.post(reverse("admin:notifications_message_cancel", args=[message.pk]), {"why": "wrong text"})
    User.objects.get(pk=admin_user.pk).delete()
    superuser = UserFactory(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(superuser)
    log = client.get(reverse("admin:admin_logentry_changelist")).content.decode()
    assert f"Grace Hopper (account {admin_user.pk})" in log
    assert "wrong text" in log


def test_reason_with_the_address_of_a_deleted_account_is_erased(admin_client):
    message = MessageFactory(user=UserFactory(email="ada@example.com"))
    cancel = reverse("admin:notifications_message_cancel", args=[message.pk])
    admin_client.post(cancel, {"why": "Ada@example.com has called"})
    message.user.delete()
    assert "ada@" not in str(list(LogEntry.objects.values())).lower()


def test_log_is_read_only(admin_client, admin_user):
    entry = logged(admin_user, admin_user)
    assert admin_client.get(reverse("admin:admin_logentry_add")).status_code == 403
    assert (
        admin_client.post(reverse("admin:admin_logentry_delete", args=[entry.pk]), {"post": "yes"}).status_code == 403
    )


def test_log_of_lifts_is_anonymized_with_the_account(admin_client, admin_user):
    user = UserFactory(email="ada@example.com")
    suppress.suppress(user.email, Reason.HARD_BOUNCE, "550 ada@example.com unknown")
    suppress.suppress(user.email, Reason.COMPLAINT, "")
    row = Suppression.objects.get(reason=Reason.HARD_BOUNCE)
    why = "ada@example.com wrote to us"
    admin_client.post(reverse("admin:notifications_suppression_lift", args=[row.pk]), {"why": why})
    row.refresh_from_db()
    assert row.lifted_at is not None
    # As earlier releases logged it.
    LogEntry.objects.update(object_repr="hard bounce: ada@example.com")
    user.delete()
    assert "ada@" not in str(list(LogEntry.objects.values()))
    row.refresh_from_db()
    assert (row.address, row.lifted_by) == ("", admin_user)
    assert "ada@" not in str(Suppression.objects.filter(lifted_at__isnull=False).values())
    # An active suppression also applies to a new sign-up.
    assert Suppression.objects.in_force(["ada@example.com"]).get().reason == Reason.COMPLAINT


def test_log_entries_contain_no_address_of_a_suppression(admin_client):
    admin_client.post(reverse("admin:notifications_suppression_add"), {"address": "ada@example.com", "detail": "asked"})
    assert "ada@" not in str(list(LogEntry.objects.values()))
