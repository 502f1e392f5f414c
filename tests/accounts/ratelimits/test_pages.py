"""Every form rejects requests beyond a limit, without an effect."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from pytest_django.asserts import assertTemplateUsed

from accounts.models import User
from accounts.ratelimits import RateLimitedError, RateLimitedPageMiddleware
from accounts.ratelimits.middleware import wait_in_words
from config.limits_redis import limits_client
from notifications.models import Message
from notifications.runtime.redis_client import client as redis_client

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
BY_CLIENT = {
    "sign-up": ("sign-up", lambda n: {"email": f"person{n}@example.com", "password": PASSWORD}),
    "confirm-again": ("resend", lambda n: {"email": f"person{n}@example.com"}),
    "password-reset": ("reset", lambda n: {"email": f"person{n}@example.com"}),
    "log-in": ("log-in", lambda n: {"username": f"person{n}@example.com", "password": PASSWORD}),
}
BY_ADDRESS = {
    "sign-up": ("mail", {"email": "ada@example.com", "password": PASSWORD}),
    "confirm-again": ("mail", {"email": "ada@example.com"}),
    "password-reset": ("reset", {"email": "ada@example.com"}),
    "log-in": ("failed-log-in", {"username": "ada@example.com", "password": "wrong"}),
}


@pytest.fixture
def limited(settings):
    """Return a function that sets one limit and raises all others."""

    def to(name, limit):
        for setting in ("CLIENT_LIMITS", "ADDRESS_LIMITS"):
            pairs = [pair.partition("=")[0] for pair in getattr(settings, setting).split(",")]
            setattr(settings, setting, ",".join(f"{one}={limit if one == name else '1000/minute'}" for one in pairs))

    return to


def person(address="ada@example.com", **more):
    return User.objects.create_user(address, PASSWORD, confirmed_at=timezone.now(), **more)


def post(page, fields, **more):
    return Client(**more).post(reverse(f"accounts:{page}"), fields)


def is_turned_away(answer):
    assert answer.status_code == 429
    assertTemplateUsed(answer, "429.html")
    assert 0 < int(answer["Retry-After"]) <= 3660
    wait = wait_in_words(int(answer["Retry-After"]))
    assert answer.context["wait"] == wait
    assert wait in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    return True


@pytest.mark.parametrize("page", BY_CLIENT)
def test_client_beyond_the_limit_is_rejected_and_others_are_not(limited, page):
    action, fields = BY_CLIENT[page]
    limited(action, "3/minute")
    assert {post(page, fields(number)).status_code for number in range(3)} <= {200, 302}
    written = Message.objects.count()
    with CaptureQueriesContext(connection) as queries:
        assert is_turned_away(post(page, fields(3)))
    assert not queries
    assert Message.objects.count() == written
    assert post(page, fields(4), REMOTE_ADDR="192.0.2.1").status_code != 429
    assert Client().get(reverse(f"accounts:{page}")).status_code == 200


@pytest.mark.parametrize("page", BY_CLIENT)
def test_get_requests_are_not_limited(limited, page):
    limited(BY_CLIENT[page][0], "1/minute")
    url = reverse(f"accounts:{page}")
    for method in ("get", "head", "options"):
        assert {getattr(Client(), method)(url).status_code for _ in range(3)} == {200}


@pytest.mark.parametrize("has_account", [False, True])
@pytest.mark.parametrize("page", BY_ADDRESS)
def test_address_beyond_the_limit_is_rejected_for_every_client(limited, page, has_account):
    bucket, fields = BY_ADDRESS[page]
    limited(bucket, "3/hour")
    if has_account:
        person()
    addresses = [f"192.0.2.{number}" for number in range(5)]
    statuses = [post(page, fields, REMOTE_ADDR=address).status_code for address in addresses]
    assert statuses == [200 if page == "log-in" else 302] * 3 + [429, 429]
    typed_otherwise = {name: value.replace("ada@example", " ADA@Example") for name, value in fields.items()}
    assert is_turned_away(post(page, typed_otherwise, REMOTE_ADDR="192.0.2.9"))
    others = {name: value.replace("ada", "bob") for name, value in fields.items()}
    assert post(page, others).status_code != 429


def test_sign_up_and_resend_share_the_limit_of_an_address(limited):
    limited("mail", "3/hour")
    client = Client()
    assert client.post(reverse("accounts:sign-up"), BY_ADDRESS["sign-up"][1]).status_code == 302
    for page in ("confirm-again", "sign-up"):
        assert post(page, BY_ADDRESS[page][1]).status_code == 302
    for page in ("confirm-again", "sign-up"):
        assert is_turned_away(post(page, BY_ADDRESS[page][1]))
    assert post("password-reset", BY_ADDRESS["password-reset"][1]).status_code == 302


def test_resend_counts_for_client_and_address(limited, monkeypatch):
    monkeypatch.setattr("accounts.flows.sign_up_cookie.PAUSE_S", 0)
    for name in ("resend", "mail"):
        limited(name, "2/hour")
        client = Client()
        address = f"{name}@example.com"
        client.post(reverse("accounts:sign-up"), {"email": address, "password": PASSWORD})
        answers = [client.post(reverse("accounts:resend")) for _ in range(3)]
        assert answers[0].status_code == 302
        assert is_turned_away(answers[2])


def test_email_to_a_new_address_counts_for_that_address(limited):
    limited("mail", "1/hour")
    member = person("bob@example.com")
    post("sign-up", BY_ADDRESS["sign-up"][1])
    client = Client()
    client.force_login(member)
    fields = {"email": "ada@example.com", "current_password": PASSWORD}
    assert is_turned_away(client.post(reverse("accounts:address-change"), fields))
    member.refresh_from_db()
    assert member.new_email == ""


@pytest.mark.parametrize("page", ["password-change", "address-change", "delete"])
def test_attempts_at_the_current_password_are_limited(limited, page):
    limited("current-password", "2/minute")
    member = person()
    client = Client()
    client.force_login(member)
    other = {"password-change": "delete"}.get(page, "password-change")
    for where in (page, other):
        assert client.post(reverse(f"accounts:{where}"), {"current_password": "wrong"}).status_code == 200
    assert is_turned_away(client.post(reverse(f"accounts:{page}"), {"current_password": PASSWORD}))
    assert client.get(reverse(f"accounts:{page}")).status_code == 200
    assert User.objects.filter(pk=member.pk).exists()


@pytest.mark.parametrize("url", ["/log-in/", "/admin/login/"])
def test_right_password_counts_as_no_failure_and_reverts_no_other(limited, url):
    limited("failed-log-in", "3/minute")
    person(is_staff=True)
    right, wrong = ({"username": "ada@example.com", "password": password} for password in (PASSWORD, "wrong"))
    assert [Client().post(url, wrong).status_code for _ in range(2)] == [200, 200]
    assert [Client().post(f"{url}?next=/", right).status_code for _ in range(4)] == [302] * 4
    assert Client().post(url, wrong).status_code == 200
    assert is_turned_away(Client().post(url, wrong))
    # Even the right password: the answer would confirm the guess.
    assert is_turned_away(Client().post(url, right))


def test_both_ways_to_log_in_share_their_counts(limited):
    limited("failed-log-in", "2/minute")
    fields = {"username": "ada@example.com", "password": "wrong"}
    assert Client().post("/log-in/", fields).status_code == 200
    assert Client().post("/admin/login/", fields).status_code == 200
    assert is_turned_away(Client().post("/log-in/", fields))


def test_invalid_address_is_counted(limited):
    limited("failed-log-in", "2/minute")
    typed = ["no address \x00", "NO ADDRESS \x00", "no address \x00"]
    answers = [
        post("log-in", {"username": text, "password": "x"}, REMOTE_ADDR=f"192.0.2.{number}")
        for number, text in enumerate(typed)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 429]


def test_clients_behind_a_proxy_are_distinct_and_cannot_forge_an_address(limited, settings):
    limited("sign-up", "1/minute")
    settings.TRUSTED_PROXIES = 1
    fields = BY_CLIENT["sign-up"][1](1)

    def ask(forwarded_for):
        return Client().post("/sign-up/", fields, headers={"X-Forwarded-For": forwarded_for}).status_code

    assert [ask("192.0.2.1"), ask("192.0.2.2")] == [302, 302]
    assert [ask("192.0.2.1"), ask("203.0.113.5, 192.0.2.1"), ask("192.0.2.1:99")] == [429] * 3


def test_posts_without_a_csrf_token_are_not_counted(limited):
    limited("sign-up", "1/minute")
    robot = Client(enforce_csrf_checks=True)
    assert {robot.post("/sign-up/", BY_CLIENT["sign-up"][1](0)).status_code for _ in range(3)} == {403}
    assert post("sign-up", BY_CLIENT["sign-up"][1](1)).status_code == 302


def test_redis_holds_no_readable_address_or_client():
    for page, (_, fields) in BY_ADDRESS.items():
        post(page, fields, REMOTE_ADDR="192.0.2.77")
    assert not redis_client().keys("*limit*")
    keys = b" ".join(limits_client().keys("*limit*"))
    assert keys
    assert not [secret for secret in (b"example", b"192.0.2", b"@") if secret in keys]


def test_page_is_in_the_browsers_language(limited):
    limited("reset", "1/hour")
    fields = {"email": "ada@example.com"}
    post("password-reset", fields)
    page = Client().post("/password-reset/", fields, headers={"Accept-Language": "de"})
    assert page.status_code == 429
    assert page.headers["Content-Language"] == "de"
    with translation.override("de"):
        assert page.context["wait"] == wait_in_words(int(page["Retry-After"]))


def test_page_needs_no_session_and_no_user():
    request = RequestFactory().post("/sign-up/")
    request.user = AnonymousUser()
    page = RateLimitedPageMiddleware(lambda _: None).process_exception(request, RateLimitedError(40))
    assert page.status_code == 429
    assert page["Retry-After"] == "40"
    assert RateLimitedPageMiddleware(lambda _: None).process_exception(request, ValueError()) is None


@pytest.mark.parametrize(
    ("wait_s", "words"),
    [
        (1, "1 second"),
        (40, "40 seconds"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (61, "2 minutes"),
        (180, "3 minutes"),
        (3540, "59 minutes"),
        (3541, "1 hour"),
        (3600, "1 hour"),
        (3601, "2 hours"),
    ],
)
def test_wait_in_words_is_rounded_up(wait_s, words):
    with translation.override("en"):
        assert wait_in_words(wait_s) == words
