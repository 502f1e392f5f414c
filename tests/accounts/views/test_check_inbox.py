"""The page after a sign-up shows the status of this browser's email, and of no other."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.flows.sign_up_cookie import PAUSE_S
from accounts.links import confirmation_path, password_reset_path
from accounts.models import User
from accounts.purging import purge_unconfirmed
from notifications import Progress, lookup
from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import deliver
from notifications.events import suppress
from notifications.models import Message
from notifications.rules.states import Stream
from notifications.rules.suppression import Reason
from tests.accounts.pages import notices
from tests.factories import UserFactory

NEW_PASSWORD = "a much newer password"

pytestmark = pytest.mark.django_db
INBOX = reverse("accounts:check-inbox")
RESEND = reverse("accounts:resend")
CORRECT = reverse("accounts:correct-address")
PASSWORD = "correct horse battery"


@pytest.fixture
def person(client):
    client.post(reverse("accounts:sign-up"), {"email": "ada@example.com", "name": "Ada", "password": PASSWORD})
    return client


def shown(client):
    return client.get(INBOX).content.decode()


def state(client):
    return re.search(r'data-progress="(\w+)"', shown(client))[1]


def later(seconds):
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("status", "outcome", "shown_progress"),
    [
        ("queued", "unknown", Progress.WAITING),
        ("sending", "unknown", Progress.WAITING),
        ("uncertain", "unknown", Progress.UNCLEAR),
        ("sent", "unknown", Progress.SENT),
        ("sent", "deferred", Progress.DEFERRED),
        ("sent", "delivered", Progress.DELIVERED),
        ("sent", "complained", Progress.DELIVERED),
        ("sent", "bounced", Progress.REFUSED),
        ("sent", "rejected", Progress.REFUSED),
        ("suppressed", "unknown", Progress.UNSENDABLE),
        ("dead", "bounced", Progress.REFUSED),
        ("dead", "unknown", Progress.FAILED),
        ("expired", "unknown", Progress.FAILED),
        ("cancelled", "unknown", Progress.FAILED),
    ],
)
def test_page_shows_the_status_of_the_email(person, status, outcome, shown_progress):
    now = timezone.now()
    lease = {"lease_token": Message.objects.get().id, "lease_until": now} if status == "sending" else {}
    Message.objects.update(
        status=status,
        outcome=outcome,
        provider="ses",
        sent_at=now if status == "sent" else None,
        died_at=now if status == "dead" else None,
        **lease,
    )
    assert state(person) == shown_progress


def test_page_reports_a_delay(person):
    Message.objects.update(created_at=Now() - timedelta(seconds=60))
    assert state(person) == Progress.DELAYED


@pytest.mark.parametrize(("provider", "ago_s"), [("smtp", 0), ("ses", 600)])
def test_page_expects_no_report_from_a_provider_without_reports(person, provider, ago_s):
    Message.objects.update(status="sent", provider=provider, sent_at=Now() - timedelta(seconds=ago_s))
    assert state(person) == Progress.UNREPORTED
    assert 'aria-current="step"' not in shown(person)


def test_suppressed_address_is_not_shown_as_emailed(client):
    suppress.suppress("ada@example.com", Reason.HARD_BOUNCE, "")
    client.post(reverse("accounts:sign-up"), {"email": "ada@example.com", "password": PASSWORD})
    assert state(client) == Progress.UNSENDABLE
    assert CORRECT in shown(client)
    assert RESEND not in shown(client)


@pytest.mark.parametrize("progress", Progress)
@pytest.mark.parametrize("age_s", [0, 61, 601])
def test_page_covers_every_progress(person, monkeypatch, progress, age_s):
    monkeypatch.setattr(lookup, "awaited", lambda message_id, resends: lookup.AwaitedEmail(progress=progress))
    with later(age_s):
        assert state(person) == progress
        assert ("data-poll-url" in shown(person)) == (age_s <= 600)
        assert shown(person).count('aria-current="step"') <= 1


def test_page_is_the_same_if_the_address_has_an_account(client):
    UserFactory(email="ada@example.com", confirmed_at=timezone.now())
    client.post(reverse("accounts:sign-up"), {"email": "ada@example.com", "password": PASSWORD})
    assert state(client) == Progress.WAITING
    Message.objects.update(status="sent", sent_at=timezone.now(), outcome="delivered")
    assert state(client) == Progress.DELIVERED


def test_confirmation_is_shown_immediately(person):
    User.objects.update(confirmed_at=timezone.now())
    assert state(person) == "confirmed"


def test_open_page_gets_the_part_that_changes(person):
    part = person.get(INBOX, {"part": "1"}).text
    assert "<html" not in part
    version = re.compile('data-version="([^"]+)"')
    assert version.search(part)[1] == version.search(shown(person))[1]
    Message.objects.update(status="sent", sent_at=timezone.now())
    assert version.search(part)[1] != version.search(person.get(INBOX, {"part": "1"}).text)[1]


def test_page_stops_polling(person):
    assert f'data-poll-url="{INBOX}?part=1"' in shown(person)
    with later(3600):
        assert "data-poll-url" not in shown(person)


def test_page_without_a_sign_up_redirects_home_and_stops_polling(client):
    assert client.get(INBOX)["Location"] == reverse("accounts:home")
    assert client.get(INBOX, {"part": "1"}).status_code == 410


def test_forged_cookie_is_ignored(client):
    client.cookies["signed_up"] = "eyJhZGRyZXNzIjoiZXZlQGV4YW1wbGUuY29tIn0:x:y"
    assert client.get(INBOX)["Location"] == reverse("accounts:home")


def test_email_is_resent_after_the_pause(person):
    first = Message.objects.get()
    person.post(RESEND)
    assert Message.objects.count() == 1
    assert notices(person.get(INBOX)) == ["resend-too-soon"]
    with later(PAUSE_S + 1):
        person.post(RESEND)
        again = Message.objects.exclude(pk=first.pk).get()
        assert (again.kind, again.to_address) == ("welcome", "ada@example.com")
        Message.objects.filter(pk=again.pk).update(status="sent", sent_at=timezone.now(), outcome="delivered")
        assert state(person) == Progress.DELIVERED
        person.post(RESEND)
        assert Message.objects.count() == 2


def test_resend_informs_only_the_owner_of_an_account(client):
    UserFactory(email="ada@example.com")
    client.post(reverse("accounts:sign-up"), {"email": "ada@example.com", "password": PASSWORD})
    with later(PAUSE_S + 1):
        client.post(RESEND)
    assert list(Message.objects.values_list("kind", flat=True)) == ["account-exists", "account-exists"]


def test_resend_requires_a_post_and_a_sign_up(client, person):
    assert person.get(RESEND).status_code == 405
    assert Client().post(RESEND)["Location"] == reverse("accounts:confirm-again")
    assert Message.objects.count() == 1


def test_address_is_corrected_before_it_is_confirmed(person):
    page = person.get(CORRECT).content.decode()
    assert 'value="ada@example.com"' in page
    assert 'value="Ada"' in page
    fields = {"email": "ada@example.org", "name": "Ada", "password": "another password"}
    assert person.post(CORRECT, fields)["Location"] == INBOX
    user = User.objects.get(email="ada@example.org")
    assert user.check_password("another password")
    assert "ada@example.org" in shown(person)
    assert list(Message.objects.order_by("created_at").values_list("to_address", flat=True)) == [
        "ada@example.com",
        "ada@example.org",
    ]


def test_correction_does_not_take_another_users_address(person):
    owner = UserFactory(email="bob@example.com", name="Bob")
    person.post(CORRECT, {"email": "bob@example.com", "name": "Eve", "password": PASSWORD})
    owner.refresh_from_db()
    assert owner.name == "Bob"
    assert User.objects.filter(email="ada@example.com").exists()
    assert Message.objects.get(kind="account-exists").to_address == "bob@example.com"


def test_correction_of_an_address_with_an_account_is_a_first_sign_up(client):
    owner = UserFactory(email="bob@example.com", name="Bob")
    client.post(reverse("accounts:sign-up"), {"email": "bob@example.com", "password": PASSWORD})
    client.post(CORRECT, {"email": "ada@example.com", "name": "Ada", "password": PASSWORD})
    owner.refresh_from_db()
    assert (owner.email, owner.name) == ("bob@example.com", "Bob")
    assert Message.objects.get(kind="welcome").to_address == "ada@example.com"


def test_correction_does_not_change_a_confirmed_account(person):
    User.objects.update(confirmed_at=timezone.now())
    person.post(CORRECT, {"email": "eve@example.com", "password": PASSWORD})
    assert User.objects.filter(email="ada@example.com", confirmed_at__isnull=False).exists()


def test_correction_without_a_sign_up_redirects_to_sign_up(client):
    assert client.get(CORRECT)["Location"] == reverse("accounts:sign-up")


def test_browser_of_another_person_loses_the_account_after_a_reset(person):
    # Another person signed up with the address and keeps the page open.
    owner = User.objects.get()
    where = Client().get(password_reset_path(owner), follow=True)
    where.client.post(where.redirect_chain[-1][0], {"password": NEW_PASSWORD})
    assert User.objects.get().confirmed_at is not None
    assert state(person) != "confirmed"
    person.post(CORRECT, {"email": "eve@example.com", "password": PASSWORD})
    assert User.objects.filter(email="ada@example.com").exists()


@pytest.mark.parametrize("taken", [True, False])
def test_correction_does_not_reveal_whether_the_new_address_has_an_account(person, taken):
    # In both cases the account of the first address is abandoned and keeps its address.
    if taken:
        UserFactory(email="victim@example.com", confirmed_at=timezone.now())
    own = User.objects.get(email="ada@example.com")
    link = confirmation_path(own)
    person.post(CORRECT, {"email": "victim@example.com", "password": PASSWORD})
    assert Client().post(link).status_code == 410
    own.refresh_from_db()
    assert (own.email, own.replaced_at is not None) == ("ada@example.com", True)
    Client().post(reverse("accounts:sign-up"), {"email": "ada@example.com", "password": PASSWORD})
    assert Message.objects.order_by("created_at").last().kind == "account-exists"
    assert purge_unconfirmed() == 1
    assert not User.objects.filter(email="ada@example.com").exists()


def test_corrected_address_can_be_corrected_back(person):
    person.post(CORRECT, {"email": "typo@example.com", "password": PASSWORD})
    person.post(CORRECT, {"email": "ada@example.com", "name": "Ada L.", "password": PASSWORD})
    own = User.objects.get(email="ada@example.com")
    assert (own.name, own.replaced_at) == ("Ada L.", None)
    assert User.objects.get(email="typo@example.com").replaced_at is not None
    assert Message.objects.order_by("created_at").last().kind == "welcome"


def test_second_sign_up_in_another_browser_does_not_show_in_the_first(person, provider, valkey):
    Client().post(reverse("accounts:sign-up"), {"email": "ada@example.com", "password": PASSWORD})
    Client().post(reverse("accounts:sign-up"), {"email": "ada@example.com", "password": PASSWORD})
    deliver(list(Message.objects.values_list("id", flat=True)), Stream.DEFAULT, Carrier(task_id="t", worker="w"))
    assert set(Message.objects.values_list("kind", "status")) == {("welcome", "sent"), ("account-exists", "sent")}


def test_reset_link_confirms_only_the_address_it_was_sent_to(person, monkeypatch):
    # The address changes while the new password is hashed.
    own = User.objects.get()
    where = Client().get(password_reset_path(own), follow=True)
    hashed = User.set_password

    def slowly(user, password):
        hashed(user, password)
        User.objects.filter(pk=own.pk).update(email="victim@example.com")

    monkeypatch.setattr(User, "set_password", slowly)
    page = where.client.post(where.redirect_chain[-1][0], {"password": NEW_PASSWORD})
    assert not page.context["validlink"]
    own.refresh_from_db()
    assert (own.confirmed_at, own.check_password(NEW_PASSWORD)) == (None, False)
