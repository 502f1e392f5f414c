"""No header, cookie, path or query string makes any page respond with a 5xx."""

import re
import socket
from collections.abc import Iterator, Sequence
from http.client import HTTPResponse
from typing import Any
from uuid import UUID

import pytest
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.flows.sign_up_cookie import COOKIE, PendingSignUp
from accounts.views.passwords import RESET_COOKIE
from config.middleware import usable_cookies
from tests.factories import MessageFactory, UserFactory
from tests.halves import HALVES

pytestmark = pytest.mark.django_db

# As a WSGI server passes them on: each byte as a character.
TEXTS = {
    "nul in it": "abc\x00def",
    "quoted nul in it": '"abcdefgh\\000abcdefgh"',
    "quoted octal": '"\\377\\376\\303\\050"',
    "control characters": "\x01\x1b[31m\x7f\x85",
    "not utf-8": "\xff\xfe\xc0\x80",
    "a surrogate in utf-8": "\xed\xa0\x80\xed\xb0\x80",
    "right to left": "\u202e".encode().decode("latin-1"),
    "very long": "x" * 20_000,
    "long number": "9" * 5_000,
    "semicolons": ";;=;=;",
    "brackets": "http://[::1",
    "bad port": "http://127.0.0.1:99999999/",
    "line breaks": "a\r\nSet-Cookie: b=c",
    "percent": "%00%ff%zz%",
    "json": '{"a": [1e999, null]}',
    "sql": "' OR 1=1 --",
    "many commas": "," * 3_000,
}
COOKIES = ("sessionid", "csrftoken", "messages", "django_language", "signed_up", "password_reset", "other")
HEADERS = (
    *(
        "HTTP_HOST",
        "HTTP_ACCEPT_LANGUAGE",
        "HTTP_REFERER",
        "HTTP_ORIGIN",
        "HTTP_USER_AGENT",
        "HTTP_ACCEPT",
        "HTTP_COOKIE",
    ),
    *("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT"),
    *("HTTP_X_CSRFTOKEN", "HTTP_AUTHORIZATION", "HTTP_RANGE", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_NONE_MATCH"),
    *("HTTP_HX_REQUEST", "HTTP_HX_CURRENT_URL", "HTTP_HX_CURRENT_URL_URI_AUTOENCODED", "HTTP_ACCEPT_ENCODING"),
    *(
        "HTTP_X_REQUESTED_WITH",
        "HTTP_CONTENT_ENCODING",
        "HTTP_TRANSFER_ENCODING",
        "HTTP_CACHE_CONTROL",
        "HTTP_IF_MATCH",
    ),
    *("REMOTE_ADDR", "CONTENT_TYPE", "CONTENT_LENGTH", "QUERY_STRING", "SERVER_NAME"),
)
# A request with one of these is refused early.
ONE_BY_ONE = {"HTTP_HOST", "CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", "QUERY_STRING", "SERVER_NAME", "HTTP_COOKIE"}


# Every page gets all of them together. These few pages, which use more of them, also get each one alone.
FEW = [
    *("/", "/sign-up/", "/check-inbox/", "/language/", "/password-reset/MQ/set-password/"),
    *("/static/accounts/mailroom.css", "/no-such-page"),
]
FORMS = ["/sign-up/", "/language/", "/admin/login/"]
MESSAGE = UUID(int=1)


def routes(resolver: Any = None, before: str = "/") -> Iterator[str]:
    """Return a path for every route of the site."""
    for one in (resolver or get_resolver()).url_patterns:
        path = before + re.sub(r"[\^$]|\\Z", "", str(one.pattern))
        if isinstance(one, URLResolver):
            yield from routes(one, path)
        elif isinstance(one, URLPattern):
            yield filled_in(path)


def filled_in(path: str) -> str:
    for kind, value in {"uid": "MQ", "uidb64": "MQ", "token": "abc-0123456789abcdef", "provider": "no-such"}.items():
        path = re.sub(rf"<(\w+:)?{kind}>", value, path)
    # The other routes have the id of a row, or are internal to the admin.
    return re.sub(r"<[^>]+>|\([^)]*\)", "1", re.sub(r"<uuid:\w+>", str(MESSAGE), path))


PATHS = sorted(
    {*routes(), *FEW, "/favicon.ico", "/static/none.css", "/%00/", "/%ff/", "/%ed%a0%80/", "//", "/x" * 2_000}
)


ADMIN = [path for path in PATHS if path.startswith("/admin/")]
OTHERS = [path for path in PATHS if path not in ADMIN]


def turn(paths: list[str], number: int) -> str:
    """Return another path for each number, so that over all texts every path gets everything."""
    return paths[number % len(paths)]


def every_second(things: Sequence[Any], number: int) -> list[Any]:
    return list(things[number % 2 :: 2])


def every_fourth(paths: list[str], number: int) -> list[str]:
    return paths[number % 4 :: 4]


def with_cookies(client: Client, text: str, *names: str) -> str:
    """Return a cookie header with a valid session, unless the session cookie is under test."""
    own = {name: morsel.value for name, morsel in client.cookies.items()}
    return "; ".join(f"{name}={value}" for name, value in (own | dict.fromkeys(names, text)).items())


def failures(client: Client, paths: list[str], **environ: Any) -> dict[str, int]:
    """Return the statuses from 500 on, by path. Pages that accept only POST get one."""
    answers = {path: client.get(path, **environ) for path in paths}
    answers |= {path: client.post(path, **environ) for path, answer in answers.items() if answer.status_code == 405}
    return {path[:80]: answer.status_code for path, answer in answers.items() if answer.status_code >= 500}


NUMBERED = pytest.mark.parametrize(("number", "text"), list(enumerate(TEXTS.values())), ids=TEXTS)


@HALVES
@NUMBERED
def test_no_page_fails_for_any_hostile_request(client, admin_client, number, text, half):
    # As an anonymous user, who sees little of the admin, and as an administrator, who sees all pages.
    MessageFactory(id=MESSAGE, user=UserFactory(confirmed_at=timezone.now()))
    for browser, paths in (
        (client, [*OTHERS, *every_fourth(ADMIN, number)[:5]]),
        (admin_client, [*every_fourth(ADMIN, number), *every_fourth(OTHERS, number)]),
    ):
        browser.raise_request_exception = False
        cookies = with_cookies(browser, text, *(name for name in COOKIES if name != "sessionid"))
        everything = dict.fromkeys((name for name in HEADERS if name not in ONE_BY_ONE), text)
        # A path with a NUL is refused early.
        query = {} if re.search("\x00|%00", text) else {"QUERY_STRING": text}
        assert not failures(
            browser, every_second(paths, number + half), **everything | {"HTTP_COOKIE": cookies} | query
        )


@HALVES
@NUMBERED
def test_no_page_fails_for_one_header_or_one_cookie(client, number, text, half):
    client.raise_request_exception = False
    tries = [{name: text} for name in HEADERS] + [{"HTTP_COOKIE": f"{name}={text}"} for name in (*COOKIES, text)]
    for count, environ in every_second(list(enumerate(tries, start=number)), number + half):
        assert not failures(client, [turn(FEW, count)], **environ), environ.keys()
        path = turn(FORMS, count)
        assert client.post(path, {"next": text}, **environ).status_code < 500, (path, environ.keys())


QUERIES = (
    "next",
    "q",
    "p",
    "o",
    "e",
    "all",
    "_popup",
    "_to_field",
    "_changelist_filters",
    "id__exact",
    "id__in",
    "seen",
)
ASKED = [
    *(reverse("accounts:log-in"), reverse("accounts:sign-up"), reverse("accounts:check-inbox")),
    *(reverse(f"admin:{name}_changelist") for name in ("accounts_user", "notifications_message")),
]


@HALVES
@NUMBERED
def test_no_page_fails_for_a_hostile_query(admin_client, number, text, half):
    admin_client.raise_request_exception = False
    for path in every_second(ASKED, number + half):
        assert admin_client.get(path, dict.fromkeys(QUERIES, text)).status_code < 500, path
    for count, name in every_second(list(enumerate(QUERIES, start=number)), number + half):
        path = turn(ASKED, count)
        assert admin_client.get(path, {name: text}).status_code < 500, (path, name)


def test_impossible_cookie_is_dropped():
    assert usable_cookies({"a": "b", "c": "\x00", "d\x1b": "e", "f": "\ud800", "g": "ä💣"}) == {"a": "b", "g": "ä💣"}


def test_browser_with_a_broken_session_can_still_log_in():
    user = UserFactory(email="ada@example.com", confirmed_at=timezone.now())
    user.set_password("correct horse battery")
    user.save()
    fields = {"username": "ada@example.com", "password": "correct horse battery"}
    browser = Client()
    answer = browser.post(reverse("accounts:log-in"), fields, HTTP_COOKIE='sessionid="\\000abcdefgh"')
    assert answer.status_code == 302
    assert answer.cookies["sessionid"].value


def test_manipulated_cookie_is_not_trusted():
    request = RequestFactory().get("/")
    for text in TEXTS.values():
        request.COOKIES = {COOKIE: text, RESET_COOKIE: text}
        assert PendingSignUp.load(request) is None


def asked(port, header: bytes, path: bytes = b"/healthz/live") -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        sock.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n" + header + b"\r\nConnection: close\r\n\r\n")
        answer = HTTPResponse(sock, method="GET")
        answer.begin()
        return answer.status


@pytest.mark.parametrize("name", [b"SCRIPT_NAME", b"PATH_INFO", b"Script-Name", b"X_Forwarded_For", b"Cookie", b"Host"])
@pytest.mark.parametrize(
    "value", [b"/elsewhere", b"/healthz", b"\xff", b"", b"x" * 9_000, b'sessionid="\\000"', b"a\x00b"]
)
def test_web_process_does_not_fail_for_a_header(site, name, value):
    port, _ = site
    for path in (b"/healthz/live", b"/no-such-page", b"/%00", b"/%ff/"):
        assert asked(port, name + b": " + value, path) < 500, path


def test_web_process_ignores_paths_in_headers(site):
    port, _ = site
    for header in (b"SCRIPT_NAME: /healthz", b"PATH_INFO: /no-such-page"):
        assert asked(port, header) == 200
