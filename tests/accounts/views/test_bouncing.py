"""A member whose address bounces sees it, and has it tested once a day. No one else sees it."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from notifications.events import suppress
from notifications.models import Message
from notifications.rules.states import Status
from notifications.rules.suppression import Reason
from tests.accounts.pages import notices

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
ADDRESS, PASSWORD = "ada@example.com", "a good password"
HOME, CHECK, LOG_IN = (reverse(f"accounts:{name}") for name in ("home", "address-check", "log-in"))
BUTTON = f'action="{CHECK}"'


@pytest.fixture
def ada():
    ada = User.objects.create_user(ADDRESS, PASSWORD, confirmed_at=timezone.now())
    Message.objects.all().delete()
    return ada


@pytest.fixture
def bounced(ada):
    suppress.suppress(ADDRESS, Reason.HARD_BOUNCE, "no such mailbox")
    return ada


@pytest.fixture
def browser(ada):
    browser = Client()
    browser.force_login(ada)
    return browser


def log_in(client, **fields):
    return client.post(LOG_IN, {"username": ADDRESS, "password": PASSWORD, **fields}, follow=True)


def test_member_asks_for_a_test_once(bounced, browser):
    assert BUTTON in browser.get(HOME).text
    page = browser.post(CHECK, follow=True)
    assert notices(page) == ["address-check-asked"]
    assert BUTTON not in page.text
    assert page.context["reachability"].refusal == "bounced"
    message = Message.objects.get()
    assert (message.kind, message.to_address, message.status) == ("address-check", ADDRESS, Status.QUEUED)
    assert notices(browser.post(CHECK, follow=True)) == ["address-not-checked"]
    assert Message.objects.count() == 1


def test_member_whose_address_works_sees_nothing(ada, browser):
    assert BUTTON not in browser.get(HOME).text
    assert notices(browser.post(CHECK, follow=True)) == ["address-not-checked"]
    assert not Message.objects.exists()


@pytest.mark.parametrize("reason", [Reason.COMPLAINT, Reason.BY_HAND])
def test_member_cannot_test_an_address_that_is_suppressed_for_another_reason(ada, browser, reason):
    suppress.suppress(ADDRESS, reason, "")
    assert BUTTON not in browser.get(HOME).text
    browser.post(CHECK)
    assert not Message.objects.exists()


def test_test_is_requested_by_post_and_by_members_only(bounced, client, browser):
    assert browser.get(CHECK).status_code == 405
    assert client.post(CHECK).status_code == 302
    assert Client(enforce_csrf_checks=True).post(CHECK).status_code == 403
    assert not Message.objects.exists()


def test_log_in_shows_it_wherever_it_leads(bounced, client):
    assert notices(log_in(client, next=reverse("accounts:preferences"))) == ["address-bounces"]
    home = log_in(Client())
    assert notices(home) == []
    assert BUTTON in home.text


def test_log_in_of_a_reachable_member_shows_nothing(ada, client):
    assert notices(log_in(client, next=reverse("accounts:preferences"))) == []


@pytest.mark.parametrize("fields", [{"password": "wrong"}, {}])
def test_without_the_right_password_or_a_confirmed_address_nothing_is_shown(bounced, client, fields):
    # The second: a correct password of an account that is not confirmed.
    User.objects.update(confirmed_at=None)
    page = log_in(client, next=reverse("accounts:preferences"), **fields)
    assert "_auth_user_id" not in client.session
    assert notices(page) == []
    assert "bounce" not in page.text
