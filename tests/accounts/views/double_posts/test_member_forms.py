"""A member's form posted twice at the same time has one effect."""

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from accounts.flows import passwords
from accounts.links import address_change_path
from accounts.models import User
from accounts.tokens import AddressChangeTokenGenerator
from notifications.models import Message
from tests.accounts.racing import held_until_all_are_there, post_together, tab
from tests.accounts.views.double_posts.posting import FIRST, PASSWORD, SECOND, is_done, kinds, with_key

pytestmark = pytest.mark.django_db(transaction=True)


HOME = reverse("accounts:home")


@pytest.fixture
def member(user):
    client = Client()
    client.force_login(user)
    return client


def change_password(new, current=PASSWORD):
    return {"current_password": current, "password": new}


def test_two_simultaneous_password_changes_save_one_and_report_the_other(member, user, monkeypatch):
    path = reverse("accounts:password-change")
    with held_until_all_are_there(monkeypatch, User, "set_password", 2):
        answers = post_together([(tab(member), path, change_password(new)) for new in (FIRST, SECOND)])
    done = [is_done(answer, HOME) for answer in answers]
    assert sorted(done) == [False, True]
    assert answers[done.index(False)].context["form"].has_error("__all__", "conflict")
    assert User.objects.get().check_password((FIRST, SECOND)[done.index(True)])
    assert kinds() == {"password-changed": 1}


def test_double_click_on_a_password_change_keeps_this_browser_logged_in(member, user, monkeypatch):
    path = reverse("accounts:password-change")
    tabs = [tab(member), tab(member)]
    with held_until_all_are_there(monkeypatch, User, "set_password", 2):
        answers = post_together([(one, path, change_password(FIRST)) for one in tabs])
    assert all(is_done(answer, HOME) for answer in answers)
    assert kinds() == {"password-changed": 1}
    for one in tabs:
        assert one.get(path).status_code == 200


def test_password_change_during_an_address_change_notifies_the_new_address(member, user, monkeypatch):
    hashed = User.set_password

    def slowly(self, password):
        hashed(self, password)
        User.objects.filter(pk=user.pk).update(email="new@example.com")

    monkeypatch.setattr(User, "set_password", slowly)
    answer = member.post(reverse("accounts:password-change"), change_password(FIRST))
    monkeypatch.undo()
    assert is_done(answer, HOME)
    assert User.objects.get().check_password(FIRST)
    assert Message.objects.get().to_address == "new@example.com"


MEMBER_FORMS = {
    "password-change": change_password(FIRST),
    "address-change": {"current_password": PASSWORD, "email": "new@example.com"},
    "delete": {"current_password": PASSWORD},
}


@pytest.mark.parametrize("name", MEMBER_FORMS)
@pytest.mark.parametrize("change", [{"password": "!"}, {"is_active": False}, None])
def test_nothing_is_saved_if_the_account_changes_after_the_password_check(member, user, monkeypatch, name, change):
    checked = User.check_password

    def slowly(self, password):
        is_right = checked(self, password)
        if change is None:
            User.objects.filter(pk=user.pk)._raw_delete("default")
        else:
            User.objects.filter(pk=user.pk).update(**change)
        return is_right

    monkeypatch.setattr(User, "check_password", slowly)
    answer = member.post(reverse(f"accounts:{name}"), MEMBER_FORMS[name])
    if change is None and name == "delete":
        assert is_done(answer, reverse("accounts:deleted"))
    else:
        assert answer.context["form"].has_error("__all__", "conflict")
        assert not list(get_messages(answer.wsgi_request))
    assert not Message.objects.exists()
    assert not User.objects.exclude(new_email="").exists()
    assert User.objects.count() == (0 if change is None else 1)


def test_double_click_on_delete_deletes_once(member, user, monkeypatch):
    path = reverse("accounts:delete")
    with held_until_all_are_there(monkeypatch, User, "check_password", 2):
        answers = post_together([(tab(member), path, MEMBER_FORMS["delete"]) for _ in range(2)])
    assert all(is_done(answer, reverse("accounts:deleted")) for answer in answers)
    assert kinds() == {"account-deleted": 1}


def test_double_click_on_a_change_of_address_sends_one_email_and_a_new_request_another(member, user, monkeypatch):
    path = reverse("accounts:address-change")
    fields = with_key(member, path, **MEMBER_FORMS["address-change"])
    with held_until_all_are_there(monkeypatch, User, "check_password", 2):
        answers = post_together([(tab(member), path, fields) for _ in range(2)])
    assert all(is_done(answer, HOME) for answer in answers)
    assert kinds() == {"address-change": 1}
    member.post(path, fields | {"email": "third@example.com"})
    assert kinds() == {"address-change": 2}
    member.post(path, with_key(member, path, **MEMBER_FORMS["address-change"]))
    assert kinds() == {"address-change": 3}


def test_double_click_on_the_link_to_a_new_address_changes_it_once(member, user, monkeypatch):
    User.objects.update(new_email="new@example.com")
    link = address_change_path(User.objects.get())
    with held_until_all_are_there(monkeypatch, AddressChangeTokenGenerator, "check_token", 2):
        answers = post_together([(tab(member), link, {}) for _ in range(2)])
    assert [is_done(answer, HOME) for answer in answers] == [True, True]
    assert kinds() == {"address-changed": 1}
    assert User.objects.get().email == "new@example.com"


def test_cancelling_a_change_shows_the_current_address(member, user):
    # The link was opened in another tab meanwhile.
    User.objects.update(email="new@example.com")
    answer = member.post(reverse("accounts:address-stay"))
    (notice,) = get_messages(answer.wsgi_request)
    assert "new@example.com" in str(notice)
    assert "ada@example.com" not in str(notice)


@pytest.mark.parametrize("name", [*MEMBER_FORMS, "preferences"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_page_of_a_deleted_account_redirects_to_log_in(member, user, monkeypatch, name, method):
    # It is deleted after the session was read.
    monkeypatch.setattr("accounts.views.account.member_of", lambda request: None)
    path = reverse(f"accounts:{name}")
    answer = member.get(path) if method == "get" else member.post(path, MEMBER_FORMS.get(name, {"language": "de"}))
    assert is_done(answer, f"{reverse('accounts:log-in')}?next={path}")


def test_preferences_report_an_account_deleted_meanwhile(member, user, monkeypatch):
    monkeypatch.setattr("accounts.views.account.member_of", lambda request: user)
    User.objects.all().delete()
    member.session["_auth_user_id"] = str(user.pk)
    answer = member.post(reverse("accounts:preferences"), {"name": "Ada", "language": "de"})
    assert answer["Location"].startswith(reverse("accounts:log-in"))
    assert not list(get_messages(answer.wsgi_request))


def test_rehashing_at_log_in_does_not_revert_a_password_change(user, settings, monkeypatch):
    # Django rehashes the password if the hasher has changed.
    settings.PASSWORD_HASHERS = settings.PASSWORD_HASHERS[::-1]
    stale = User.objects.get()
    assert passwords.change_password(User.objects.get(), FIRST)
    assert stale.check_password(PASSWORD)
    assert User.objects.get().check_password(FIRST)


# The second post changes nothing and has the same answer.
HARMLESS = {
    "preferences": {"name": "Ada L.", "language": "de"},
    "address-stay": {},
    "log-out": {},
}


@pytest.mark.parametrize("name", HARMLESS)
def test_both_posts_of_other_forms_have_the_same_answer(member, user, name):
    User.objects.update(new_email="new@example.com")
    path = reverse(f"accounts:{name}")
    answers = post_together([(tab(member), path, HARMLESS[name]) for _ in range(2)])
    assert [is_done(answer, HOME) for answer in answers] == [True, True]
    assert not Message.objects.exists()
    user.refresh_from_db()
    assert (user.name, user.email) == ("Ada L." if name == "preferences" else "Ada", "ada@example.com")
    assert user.new_email == ("" if name == "address-stay" else "new@example.com")
