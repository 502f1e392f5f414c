"""Limits count sub-addresses, dots and alias domains as one mailbox; storing and sending keep the spelling."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from notifications.models import Message

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def variations(number):
    return f"a{'.' * (number % 2)}d{'.' * (number // 2 % 2)}a+{number}@{('gmail.com', 'googlemail.com')[number % 2]}"


@pytest.fixture(autouse=True)
def many_clients(settings):
    """Give each request another client."""
    settings.TRUSTED_PROXIES = 1


def post(page, number, **fields):
    return Client(headers={"X-Forwarded-For": f"192.0.2.{number}"}).post(reverse(f"accounts:{page}"), fields)


@pytest.mark.parametrize(
    ("page", "field", "taken"), [("sign-up", "email", 6), ("confirm-again", "email", 6), ("password-reset", "email", 5)]
)
def test_spellings_of_a_mailbox_share_its_limit(page, field, taken):
    more = {"password": PASSWORD} if page == "sign-up" else {}
    answers = [post(page, number, **{field: variations(number)}, **more).status_code for number in range(60)]
    assert answers.count(302) == taken
    assert answers.count(429) == 60 - taken
    assert Message.objects.count() == taken


def test_spellings_share_the_limit_of_failed_log_ins():
    answers = [post("log-in", n, username=variations(n), password="wrong").status_code for n in range(20)]
    assert answers.count(429) == 15


def test_address_keeps_its_spelling_for_storing_and_sending():
    post("sign-up", 1, email="a.da+shop@gmail.com", password=PASSWORD)
    assert User.objects.get().email == Message.objects.get().to_address == "a.da+shop@gmail.com"
