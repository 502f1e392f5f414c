"""Every form posted twice: by a double click, in two tabs, from two devices. What is promised was written, and once."""

import re
from collections import Counter

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import form_key
from accounts.flows import passwords
from accounts.flows.sign_up_cookie import PendingSignUp
from accounts.form_key import FormWithKey
from accounts.links import address_change_path, password_reset_path
from accounts.models import User, UserManager
from accounts.tokens import AddressChangeTokenGenerator
from notifications.models import Message
from tests.accounts.racing import held_until_all_are_there, post_together, tab
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "correct horse battery"
FIRST, SECOND = "a much newer password", "another newer password"
HOME = reverse("accounts:home")
COMPLETE = reverse("accounts:password-reset-complete")
INBOX = reverse("accounts:check-inbox")


@pytest.fixture
def user():
    user = User(email="ada@example.com", name="Ada", confirmed_at=timezone.now())
    user.set_password(PASSWORD)
    User.objects.bulk_create([user])
    return User.objects.get()


@pytest.fixture
def member(user):
    client = Client()
    client.force_login(user)
    return client


def kinds():
    return Counter(Message.objects.values_list("kind", flat=True))


def with_key(client, path, **fields):
    """Fill in a form as a browser does: with what is hidden in it."""
    page = client.get(path).content.decode()
    hidden = re.findall(r'name="(idempotency_key|next)" value="([^"]*)"', page)
    return dict(hidden) | fields


def opened(user, device=None):
    """Open a reset link; return the browser and the page with the form."""
    client = device or Client()
    return client, client.get(password_reset_path(user), follow=True).redirect_chain[-1][0]


def is_done(answer, where):
    return answer.status_code == 302 and answer["Location"] == where


# --- A link to a new password ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("devices", [1, 2])
def test_reset_link_posted_twice_with_two_passwords_sets_one(user, monkeypatch, devices):
    client, where = opened(user)
    other = tab(client) if devices == 1 else opened(user, Client())[0]
    with held_until_all_are_there(monkeypatch, User, "set_password", 2):
        answers = post_together([(client, where, {"password": FIRST}), (other, where, {"password": SECOND})])
    done = [is_done(answer, COMPLETE) for answer in answers]
    assert sorted(done) == [False, True]
    user.refresh_from_db()
    assert user.check_password((FIRST, SECOND)[done.index(True)])
    assert kinds() == {"password-changed": 1}
    assert answers[done.index(False)].context["was_used"]


def test_double_click_on_a_reset_form_ends_well_and_once(user, monkeypatch):
    client, where = opened(user)
    with held_until_all_are_there(monkeypatch, User, "set_password", 2):
        answers = post_together([(tab(client), where, {"password": FIRST}) for _ in range(2)])
    assert all(is_done(answer, COMPLETE) for answer in answers)
    # The second post of a slower double click finds the link used up.
    assert is_done(tab(client).post(where, {"password": FIRST}), COMPLETE)
    assert not is_done(tab(client).post(where, {"password": SECOND}), COMPLETE)
    assert kinds() == {"password-changed": 1}


def test_used_reset_link_is_no_way_to_guess_a_password(user, settings):
    settings.ADDRESS_LIMITS = re.sub(r"failed-log-in=[^,]+", "failed-log-in=3/hour", settings.ADDRESS_LIMITS)
    client, where = opened(user)
    passwords.reset_password(user, FIRST)
    statuses = [client.post(where, {"password": f"guess number {number}"}).status_code for number in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    stranger = Client()
    assert not is_done(stranger.post(where, {"password": FIRST}), COMPLETE)
    assert not is_done(stranger.post(where, {"password": FIRST}), COMPLETE)


def test_link_to_another_account_does_not_speak_for_this_one(user):
    other = UserFactory(email="eve@example.com", password="!")
    client, where = opened(other)
    mine = password_reset_path(user).rsplit("/", 2)[0] + "/set-password/"
    assert mine != where
    assert not is_done(client.post(mine, {"password": PASSWORD}), COMPLETE)


@pytest.mark.parametrize(
    "change", [{"password": "!"}, {"email": "new@example.com"}, {"last_login": timezone.now()}, {"is_active": False}]
)
def test_reset_link_proves_what_it_was_made_for_and_no_more(user, monkeypatch, change):
    """Each part of it may change while the new password is hashed."""
    client, where = opened(user)
    hashed = User.set_password

    def slowly(self, password):
        hashed(self, password)
        User.objects.filter(pk=user.pk).update(**change)

    monkeypatch.setattr(User, "set_password", slowly)
    assert not is_done(client.post(where, {"password": FIRST}), COMPLETE)
    assert not User.objects.get().check_password(FIRST)
    assert not Message.objects.exists()


# --- A member's forms ------------------------------------------------------------------------------------------------


def change_password(new, current=PASSWORD):
    return {"current_password": current, "password": new}


def test_two_password_changes_are_one_and_the_other_says_so(member, user, monkeypatch):
    path = reverse("accounts:password-change")
    with held_until_all_are_there(monkeypatch, User, "set_password", 2):
        answers = post_together([(tab(member), path, change_password(new)) for new in (FIRST, SECOND)])
    done = [is_done(answer, HOME) for answer in answers]
    assert sorted(done) == [False, True]
    assert answers[done.index(False)].context["form"].has_error("__all__", "overtaken")
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


def test_password_change_that_meets_an_address_change_is_saved_and_told_at_the_new_address(member, user, monkeypatch):
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
def test_nothing_is_promised_or_written_if_the_account_changes_after_the_password_was_checked(
    member, user, monkeypatch, name, change
):
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
        assert answer.context["form"].has_error("__all__", "overtaken")
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


def test_double_click_on_a_change_of_address_writes_once_and_asking_again_writes_again(member, user, monkeypatch):
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


def test_giving_up_a_change_names_the_address_that_holds(member, user):
    """The link was opened in another tab meanwhile."""
    User.objects.update(email="new@example.com")
    answer = member.post(reverse("accounts:address-stay"))
    (said,) = get_messages(answer.wsgi_request)
    assert "new@example.com" in str(said)
    assert "ada@example.com" not in str(said)


@pytest.mark.parametrize("name", [*MEMBER_FORMS, "preferences"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_page_of_an_account_that_is_gone_leads_to_the_log_in(member, user, monkeypatch, name, method):
    """It goes after the session was read."""
    monkeypatch.setattr("accounts.views.account.member_of", lambda request: None)
    path = reverse(f"accounts:{name}")
    answer = member.get(path) if method == "get" else member.post(path, MEMBER_FORMS.get(name, {"language": "de"}))
    assert is_done(answer, f"{reverse('accounts:log-in')}?next={path}")


def test_preferences_of_an_account_that_goes_at_that_moment_are_not_called_saved(member, user, monkeypatch):
    monkeypatch.setattr("accounts.views.account.member_of", lambda request: user)
    User.objects.all().delete()
    member.session["_auth_user_id"] = str(user.pk)
    answer = member.post(reverse("accounts:preferences"), {"name": "Ada", "language": "de"})
    assert answer["Location"].startswith(reverse("accounts:log-in"))
    assert not list(get_messages(answer.wsgi_request))


def test_password_that_is_hashed_again_at_log_in_does_not_undo_a_change(user, settings, monkeypatch):
    """Django hashes it again where the way of hashing has changed."""
    settings.PASSWORD_HASHERS = settings.PASSWORD_HASHERS[::-1]
    stale = User.objects.get()
    assert passwords.change_password(User.objects.get(), FIRST)
    assert stale.check_password(PASSWORD)
    assert User.objects.get().check_password(FIRST)


# These change nothing more the second time, and say what is so.
HARMLESS = {
    "preferences": {"name": "Ada L.", "language": "de"},
    "address-stay": {},
    "log-out": {},
}


@pytest.mark.parametrize("name", HARMLESS)
def test_other_forms_posted_twice_at_the_same_time_end_alike(member, user, name):
    User.objects.update(new_email="new@example.com")
    path = reverse(f"accounts:{name}")
    answers = post_together([(tab(member), path, HARMLESS[name]) for _ in range(2)])
    assert [is_done(answer, HOME) for answer in answers] == [True, True]
    assert not Message.objects.exists()
    user.refresh_from_db()
    assert (user.name, user.email) == ("Ada L." if name == "preferences" else "Ada", "ada@example.com")
    assert user.new_email == ("" if name == "address-stay" else "new@example.com")


# --- Signing up, and asking for another email ------------------------------------------------------------------------

SIGN_UP = {"email": "ada@example.com", "name": "Ada", "password": PASSWORD}


def memory(answer):
    """What the browser keeps of its sign-up, but for the time."""
    request = answer.wsgi_request
    request.COOKIES = {name: morsel.value for name, morsel in answer.cookies.items()}
    started = PendingSignUp.load(request)
    return started.address, started.account, started.mail


@pytest.mark.parametrize("owner", [None, "confirmed", "unconfirmed"])
def test_double_click_on_sign_up_makes_one_sign_up_and_one_email(monkeypatch, owner):
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
    # A slower click, of the first page's form.
    late = tab(browser)
    assert memory(late.post(path, fields)) == memory(answers[0])
    assert sum(kinds().values()) == 1
    if not owner:
        User.objects.update(confirmed_at=timezone.now())
    for one in (*tabs, late):
        assert one.get(INBOX).context["sign_up"].confirmed is (owner is None)


def test_two_forms_of_two_devices_are_two_wishes():
    for device in (Client(), Client()):
        path = reverse("accounts:sign-up")
        device.post(path, with_key(device, path, **SIGN_UP))
    assert kinds() == {"welcome": 1, "account-exists": 1}


def test_two_tabs_of_one_browser_are_one_person():
    browser, path = Client(), reverse("accounts:sign-up")
    forms = [with_key(browser, path, **SIGN_UP) for _ in range(2)]
    for form in forms:
        browser.post(path, form)
    assert (User.objects.count(), kinds()) == (1, {"welcome": 2})


def test_one_form_with_two_addresses_is_two_sign_ups():
    """The back button, and another address."""
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
def test_double_click_on_send_again_sends_one(monkeypatch, owner):
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
def test_double_click_on_a_request_writes_one_email(monkeypatch, name, kind, owner):
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


def test_form_left_open_for_long_is_another_wish(settings):
    now = 1_800_000_000
    with time_machine.travel(now, tick=False):
        key = form_key.new_key()
        first = named(key)
    with time_machine.travel(now + form_key.SAME_WISH_S - 1, tick=False):
        assert named(key).reference("a@example.com") == first.reference("a@example.com")
        assert named(key).reference("b@example.com") != first.reference("a@example.com")
    with time_machine.travel(now + form_key.SAME_WISH_S, tick=False):
        assert named(key).reference("a@example.com") != first.reference("a@example.com")
        assert named(key).account("a@example.com") == first.account("a@example.com")
    with time_machine.travel(now + form_key.AGE_S + 1, tick=False):
        assert named(key).account("a@example.com") != first.account("a@example.com")


@pytest.mark.parametrize("key", ["", "made up", "\x00", "ä:b:c", "x" * 100_000, "WzEsMl0:1:2"])
def test_form_with_a_made_up_name_counts_each_time(key):
    assert named(key).reference("a@example.com") != named(key).reference("a@example.com")
