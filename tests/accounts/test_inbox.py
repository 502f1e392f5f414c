"""The page after a sign-up: it follows the mail of this browser's own sign-up, and of no other."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.flows.started import PAUSE_S
from accounts.links import password_reset_path
from accounts.models import User
from notifications.models import Message
from tests.factories import UserFactory

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


def later(seconds):
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("status", "outcome", "said"),
    [
        ("queued", "unknown", "Handing over …"),
        ("sending", "unknown", "Handing over …"),
        ("uncertain", "unknown", "Handing over …"),
        ("sent", "unknown", "Handed over"),
        ("sent", "deferred", "On its way …"),
        ("sent", "delivered", "Delivered"),
        ("sent", "complained", "Delivered"),
        ("sent", "bounced", "The mailbox refused our mail."),
        ("sent", "rejected", "The mailbox refused our mail."),
        ("suppressed", "unknown", "The mailbox refused our mail."),
        ("dead", "unknown", "This mail was not sent."),
        ("expired", "unknown", "This mail was not sent."),
        ("cancelled", "unknown", "This mail was not sent."),
    ],
)
def test_page_shows_the_state_of_the_mail(person, status, outcome, said):
    now = timezone.now()
    lease = {"lease_token": Message.objects.get().id, "lease_until": now} if status == "sending" else {}
    Message.objects.update(
        status=status,
        outcome=outcome,
        sent_at=now if status == "sent" else None,
        died_at=now if status == "dead" else None,
        **lease,
    )
    assert said in shown(person)


def test_page_is_the_same_where_the_address_has_an_account(client):
    UserFactory(email="ada@example.com", confirmed_at=timezone.now())
    client.post(reverse("accounts:sign-up"), {"email": "ada@example.com", "password": PASSWORD})
    page = shown(client)
    assert "Handing over …" in page
    assert "is confirmed" not in page
    Message.objects.update(status="sent", sent_at=timezone.now(), outcome="delivered")
    assert "Delivered" in shown(client)


def test_confirmation_is_seen_at_once(person):
    User.objects.update(confirmed_at=timezone.now())
    assert "Your address is confirmed" in shown(person)


def test_htmx_gets_the_fragment_and_only_what_is_new(person):
    htmx = {"HX-Request": "true"}
    fragment = person.get(INBOX, headers=htmx)
    assert "<html" not in fragment.content.decode()
    seen = fragment.content.decode().partition('"seen": "')[2].partition('"')[0]
    assert person.get(INBOX, {"seen": seen}, headers=htmx).status_code == 204
    Message.objects.update(status="sent", sent_at=timezone.now())
    assert person.get(INBOX, {"seen": seen}, headers=htmx).status_code == 200


def test_page_stops_asking_in_the_end(person):
    assert "hx-get" in shown(person)
    with later(3600):
        assert "hx-get" not in shown(person)


def test_page_of_nobody_leads_home_and_ends_the_asking(client):
    assert client.get(INBOX)["Location"] == reverse("accounts:home")
    assert client.get(INBOX, headers={"HX-Request": "true"}).status_code == 286


def test_made_up_cookie_is_not_believed(client):
    client.cookies["signed_up"] = "eyJhZGRyZXNzIjoiZXZlQGV4YW1wbGUuY29tIn0:x:y"
    assert client.get(INBOX)["Location"] == reverse("accounts:home")


def test_mail_is_sent_again_after_a_while(person):
    first = Message.objects.get()
    person.post(RESEND)
    assert Message.objects.count() == 1
    assert "Please wait" in shown(person)
    with later(PAUSE_S + 1):
        person.post(RESEND)
        again = Message.objects.exclude(pk=first.pk).get()
        assert (again.kind, again.to_address) == ("welcome", "ada@example.com")
        Message.objects.filter(pk=again.pk).update(status="sent", sent_at=timezone.now(), outcome="delivered")
        assert "Delivered" in shown(person)
        person.post(RESEND)
        assert Message.objects.count() == 2


def test_resend_tells_the_owner_of_an_account_only(client):
    UserFactory(email="ada@example.com")
    client.post(reverse("accounts:sign-up"), {"email": "ada@example.com", "password": PASSWORD})
    with later(PAUSE_S + 1):
        client.post(RESEND)
    assert list(Message.objects.values_list("kind", flat=True)) == ["account-exists", "account-exists"]


def test_resend_needs_a_post_and_a_sign_up(client, person):
    assert person.get(RESEND).status_code == 405
    assert Client().post(RESEND)["Location"] == reverse("accounts:confirm-again")
    assert Message.objects.count() == 1


def test_address_is_corrected_before_it_is_confirmed(person):
    page = person.get(CORRECT).content.decode()
    assert 'value="ada@example.com"' in page
    assert 'value="Ada"' in page
    fields = {"email": "ada@example.org", "name": "Ada", "password": "another password"}
    assert person.post(CORRECT, fields)["Location"] == INBOX
    user = User.objects.get()
    assert (user.email, user.check_password("another password")) == ("ada@example.org", True)
    assert "ada@example.org" in shown(person)
    assert list(Message.objects.order_by("created_at").values_list("to_address", flat=True)) == [
        "ada@example.com",
        "ada@example.org",
    ]


def test_somebody_elses_address_is_not_taken_by_a_correction(person):
    owner = UserFactory(email="bob@example.com", name="Bob")
    person.post(CORRECT, {"email": "bob@example.com", "name": "Eve", "password": PASSWORD})
    owner.refresh_from_db()
    assert owner.name == "Bob"
    assert User.objects.filter(email="ada@example.com").exists()
    assert Message.objects.get(kind="account-exists").to_address == "bob@example.com"


def test_correction_of_what_was_somebodys_account_is_a_first_sign_up(client):
    owner = UserFactory(email="bob@example.com", name="Bob")
    client.post(reverse("accounts:sign-up"), {"email": "bob@example.com", "password": PASSWORD})
    client.post(CORRECT, {"email": "ada@example.com", "name": "Ada", "password": PASSWORD})
    owner.refresh_from_db()
    assert (owner.email, owner.name) == ("bob@example.com", "Bob")
    assert Message.objects.get(kind="welcome").to_address == "ada@example.com"


def test_confirmed_account_is_not_moved_by_a_correction(person):
    User.objects.update(confirmed_at=timezone.now())
    person.post(CORRECT, {"email": "eve@example.com", "password": PASSWORD})
    assert User.objects.filter(email="ada@example.com", confirmed_at__isnull=False).exists()


def test_correction_without_a_sign_up_is_a_sign_up(client):
    assert client.get(CORRECT)["Location"] == reverse("accounts:sign-up")


def test_owner_who_chooses_a_password_is_followed_by_no_stranger(person):
    """Somebody signed up with another's address, and keeps the page open."""
    owner = User.objects.get()
    where = Client().get(password_reset_path(owner), follow=True)
    where.client.post(where.redirect_chain[-1][0], {"password": "a much newer password"})
    assert User.objects.get().confirmed_at is not None
    assert "is confirmed" not in shown(person)
    person.post(CORRECT, {"email": "eve@example.com", "password": PASSWORD})
    assert User.objects.filter(email="ada@example.com").exists()
