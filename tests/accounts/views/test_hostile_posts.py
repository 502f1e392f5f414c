"""Hostile posts to every form cause no 5xx, no second recipient and no change of another account."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.addresses import canonical_address
from accounts.flows.sign_up_cookie import PendingSignUp
from accounts.links import address_change_path, confirmation_path, password_reset_path
from accounts.models import User
from notifications.models import Message
from tests.halves import HALVES

pytestmark = pytest.mark.django_db

NAMES = (
    *("sign-up", "log-in", "password-reset", "confirm-again", "resend", "correct-address"),
    *("password-change", "address-change", "address-stay", "preferences", "delete", "check-inbox", "home"),
)
PATHS = [*(reverse(f"accounts:{name}") for name in NAMES), reverse("set_language"), reverse("accounts:log-out")]
# For members; the other forms are for users who are not logged in.
MEMBERS = [reverse(f"accounts:{name}") for name in NAMES[6:-2]]
FIELDS = ("email", "username", "name", "password", "current_password", "language", "wants_news", "next", "subject")
NASTY = [
    "' OR '1'='1",
    "'; DROP TABLE accounts_user; --",
    "ada@example.com' AND pg_sleep(9)--",
    "{{ 7*7 }}{% debug %}",
    "${jndi:ldap://x/a}",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "../../../../etc/passwd",
    "ada@example.com\r\nBcc: eve@example.com",
    "ada@example.com%0d%0aBcc:eve@example.com",
    "ada@example.com, eve@example.com",
    "ada@example.com;eve@example.com",
    "ada@example.com eve@example.com",
    "Ada <ada@example.com>, Eve <eve@example.com>",
    "ada@example.com\u2028eve@example.com",
    "ada@ex\u00adample.com",
    "ADA@EXAMPLE.COM",
    "ad\u0061\u0301@example.com",
    "\u0430da@example.com",
    "ada@example.com\u202e",
    "ﬁ@example.com",
    "ada@[127.0.0.1]",
    "ada@localhost",
    '"a@b"@example.com',
    "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
    "\x00",
    "\x1b[31m",
    "𝓪𝓭𝓪@example.com",
    "a" * 70_000,
    "💣" * 500,
    "//evil.example/",
    "https://evil.example/",
    "javascript:alert(1)",
]


STARTED = PendingSignUp(address="newcomer@example.com", name="New")
_COOKIE = HttpResponse()
STARTED.save(_COOKIE)


@pytest.fixture(autouse=True)
def no_limits(settings):
    """Turn off rate limits, which would reject the posts."""
    for name in ("CLIENT_LIMITS", "ADDRESS_LIMITS"):
        setattr(settings, name, re.sub(r"\d+/[^,]+", "100000/minute", getattr(settings, name)))


def newcomer() -> Client:
    """A user who is not logged in and has signed up in this browser."""
    client = Client(raise_request_exception=False)
    client.cookies.update(_COOKIE.cookies)
    return client


@contextmanager
def logged_in() -> Iterator[Client]:
    """A logged-in member; changes of rows are rolled back."""
    with transaction.atomic():
        password = make_password("another good password")
        User.objects.bulk_create(
            [
                User(email="ada@example.com", name="Ada", password=password, confirmed_at=timezone.now()),
                User(email="owner@example.com", name="Owner", password=password),
                User(email=STARTED.address, password=password, sign_up=STARTED.account),
            ]
        )
        client = Client(raise_request_exception=False)
        client.force_login(User.objects.get(email="ada@example.com"))
        yield client
        transaction.set_rollback(True)


def rows() -> list[Any]:
    people = User.objects.filter(email__in=["ada@example.com", "owner@example.com"]).order_by("pk")
    return list(people.values("pk", "email", "name", "password", "is_staff", "confirmed_at", "new_email", "is_active"))


def is_harmless(client: Client, path: str, fields: dict[str, str]) -> None:
    before = rows()
    answer = (client if path in MEMBERS else newcomer()).post(path, fields)
    assert answer.status_code < 500, (path, fields, answer.status_code)
    assert not answer.get("Location", "").startswith(("//", "http", "javascript")), answer["Location"]
    messages = list(Message.objects.all())
    assert len(messages) <= 1
    for message in messages:
        assert message.to_address.count("@") == 1, message.to_address
        assert message.to_address.isascii()
        assert not set(message.to_address) & set(" ,;<>\r\n\x00\"'")
        assert "eve" not in message.to_address
    assert not User.objects.filter(is_staff=True).exists()
    if path != reverse("accounts:preferences"):
        assert rows() == before


@HALVES
@pytest.mark.parametrize(("number", "text"), list(enumerate(NASTY)), ids=range(len(NASTY)))
def test_hostile_text_in_every_field(number, text, half):
    with logged_in() as client:
        for path in PATHS[(number + half) % 2 :: 2]:
            with transaction.atomic():
                is_harmless(client, path, dict.fromkeys(FIELDS, text))
                transaction.set_rollback(True)


EVE = st.emails(domains=st.just("eve.example.com"))
ADDED = st.sampled_from(["", "\r\n", ",", " x@y.z"])
TEXT = st.one_of(st.sampled_from(NASTY), st.text(max_size=60), st.builds("{}{}".format, EVE, ADDED))


GOOD = {"email": "grace@example.com", "name": "Grace", "password": "correct horse battery"}


@HALVES
@pytest.mark.parametrize(
    ("name", "field"),
    [
        *product(["sign-up", "correct-address"], ["email", "name", "password"]),
        *product(["confirm-again", "password-reset"], ["email"]),
    ],
)
def test_one_hostile_field_in_a_valid_form(name, field, half):
    with logged_in():
        before = rows()
        for text in NASTY[half::2]:
            with transaction.atomic():
                answer = newcomer().post(reverse(f"accounts:{name}"), GOOD | {field: text})
                assert answer.status_code in {200, 302}, text
                for message in Message.objects.all():
                    assert message.to_address in {"grace@example.com", "ada@example.com", canonical(text)}
                assert Message.objects.count() <= 1
                assert rows() == before
                transaction.set_rollback(True)


def canonical(text):
    try:
        return canonical_address(text)
    except ValidationError:
        return None


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(PATHS), fields=st.dictionaries(st.sampled_from([*FIELDS, "is_staff"]), TEXT, max_size=6))
def test_random_forms(path, fields):
    with logged_in() as client:
        before = rows()
        for browser in (client, newcomer()):
            answer = browser.post(path, fields)
            assert answer.status_code < 500, answer.status_code
        for message in Message.objects.all():
            assert message.to_address.count("@") == 1
            assert not set(message.to_address) & set(" ,;<>\r\n\x00")
        assert not User.objects.filter(is_staff=True).exists()
        if path != reverse("accounts:preferences"):
            assert rows() == before


LINKS = {"confirm": confirmation_path, "password-reset": password_reset_path, "address": address_change_path}


def forged(link: str) -> list[str]:
    """Return forged variants of a valid link."""
    head, uid, token = link.strip("/").rsplit("/", 2)
    stamp, _, digest = token.partition("-")
    return [
        f"/{head}/{uid}/{made_up}/"
        for made_up in (
            f"{stamp}-{digest[::-1]}",
            f"{stamp}-",
            f"-{digest}",
            f"zzzzzz-{digest}",
            f"{stamp}-{digest}0",
            f"0-{digest}",
            "set-password",
            "x" * 3000,
            "%00",
            "ä-ö",
        )
    ] + [f"/{head}/{other}/{token}/" for other in ("MA", "LTE", "MQ==", "%27", "🎩", "A" * 900)]


@HALVES
@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "patch"])
def test_forged_link_does_nothing(name, method, half):
    with logged_in() as client:
        owner = User.objects.get(email="owner@example.com")
        owner.new_email = "new@example.com"
        owner.save(update_fields=["new_email"])
        before = rows()
        for link in forged(LINKS[name](owner))[half::2]:
            for browser in (client, Client(raise_request_exception=False)):
                fields = {"password": "correct horse battery"} if method == "post" else None
                answer = getattr(browser, method)(link, fields)
                assert answer.status_code < 500, (link, answer.status_code)
        assert rows() == before
        assert not Message.objects.exists()


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options", "head", "trace", "get"])
def test_other_methods_change_nothing(method):
    with logged_in() as client:
        before = rows()
        for path in PATHS:
            if path != reverse("accounts:log-out"):
                assert getattr(client, method)(path).status_code < 500
        assert rows() == before
        assert not Message.objects.exists()
        assert client.get(reverse("accounts:preferences")).status_code == 200


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"email=" + b"a" * 5_000_000, "application/x-www-form-urlencoded"),
        (b"&".join(b"f%d=1" % number for number in range(5000)), "application/x-www-form-urlencoded"),
        (b"\xff\xfe\x00email=\xff", "application/x-www-form-urlencoded"),
        (b"email=%FF%FE&name=%00&password=%C0%80", "application/x-www-form-urlencoded"),
        (b"not a multipart body", "multipart/form-data; boundary=x"),
        (
            b'--x\r\nContent-Disposition: form-data; name="email"; filename="a"\r\n\r\nada\r\n--x--',
            "multipart/form-data; boundary=x",
        ),
        (b"{}", "application/json"),
        (b"<a/>", "text/xml"),
        (b"email=a", "application/x-www-form-urlencoded; charset=utf-7"),
        (b"email=a", "application/x-www-form-urlencoded; charset=no-such-thing"),
    ],
)
def test_broken_body_is_rejected(body, content_type):
    with logged_in() as client:
        before = rows()
        for path in PATHS:
            assert client.generic("POST", path, body, content_type=content_type).status_code < 500, path
        assert rows() == before
        assert not Message.objects.exists()


# A member does not need these forms: a redirect without an effect.
TO_GET_IN = [reverse(f"accounts:{name}") for name in ("sign-up", "log-in", "correct-address")]


@pytest.mark.parametrize("path", PATHS)
def test_post_without_a_csrf_token_is_rejected(path):
    with logged_in() as client:
        strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
        strict.cookies.update(client.cookies)
        for token in ("", "x" * 64, "ä"):
            answer = strict.post(path, {"csrfmiddlewaretoken": token, "email": "eve@example.com"})
            assert answer.status_code == (302 if path in TO_GET_IN else 403)
        assert not User.objects.filter(email="eve@example.com").exists()
        assert not Message.objects.exists()


@pytest.mark.parametrize(
    "text", ["Ada, Countess", "🎩", "Bobby'); DROP TABLE--", '"quoted" <x@y.example>', "A" * 51, "=?utf-8?q?=FF=FE?="]
)
def test_hostile_name_enqueues_no_email(client, text):
    fields = {"email": "ada@example.com", "name": text, "password": "correct horse battery"}
    assert client.post(reverse("accounts:sign-up"), fields).status_code == 200
    assert not Message.objects.exists()
