"""No enumeration of account ids: a forged link does the same with and without such an account."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlsafe_base64_encode

from accounts.links import confirmation_path
from accounts.models import User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
ROUTES = ["confirm", "password-reset-confirm", "address-confirm"]
# All invalid: random, of the right form, of another account.
TOKENS = ["made-up", "abc-0123456789abcdef0123456789abcdef", "set-password", "of another"]
STATES = {
    "unconfirmed": {},
    "confirmed": {"confirmed_at": timezone.now()},
    "closed": {"confirmed_at": timezone.now(), "is_active": False},
    "no password": {"password": "!"},
    "waits for an address": {"confirmed_at": timezone.now(), "new_email": "new@example.com"},
    "staff": {"is_staff": True},
}
VALUES = re.compile(r"'[^']*'|\b\d+\b")


@pytest.fixture(params=["visitor", "member"])
def browser(request):
    client = Client()
    if request.param == "member":
        client.force_login(UserFactory(email="eve@example.com", confirmed_at=timezone.now()))
    return client


def seen(browser, method, path):
    """Return everything that a client can see or measure of a page."""
    fields = {"password": "correct horse battery"} if method == "post" else None
    with CaptureQueriesContext(connection) as queries:
        answer = getattr(browser, method)(path, fields)
    text = re.sub(r'value="[^"]{20,}"|' + re.escape(path), "", answer.content.decode())
    return answer.status_code, [VALUES.sub("?", query["sql"]) for query in queries], text, sorted(answer.cookies)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("token", TOKENS)
def test_forged_link_does_not_reveal_whether_the_account_exists(browser, route, method, token):
    if token == "of another":
        token = confirmation_path(UserFactory(email="other@example.com")).split("/")[-2]
    people = [UserFactory(email=f"ada{number}@example.com", **state) for number, state in enumerate(STATES.values())]
    before = list(User.objects.order_by("pk").values())
    numbers = [999_999, *(user.pk for user in people)]
    paths = [
        reverse(f"accounts:{route}", args=[urlsafe_base64_encode(str(number).encode()), token]) for number in numbers
    ]
    unknown, *others = [seen(browser, method, path) for path in paths]
    for state, measured in zip(STATES, others, strict=True):
        assert measured == unknown, state
    assert list(User.objects.order_by("pk").values()) == before
