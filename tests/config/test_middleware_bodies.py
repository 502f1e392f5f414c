"""Bodies longer than any form are refused by their header and leave nothing on disk. Uses the shipped gunicorn."""

import socket
from http import HTTPStatus
from http.client import HTTPResponse

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import User
from config.middleware import body_refusal, max_bytes
from notifications.providers.registry import PROVIDERS, reports, webhook_of
from tests.factories import UserFactory

GIGABYTE = 1_000_000_000
BOUNDARY = "a-boundary"
MULTIPART = f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
PART = (
    f"--{BOUNDARY}\r\n"
    'Content-Disposition: form-data; name="file"; filename="large"\r\nContent-Type: application/octet-stream\r\n\r\n'
).encode()
PATHS = [
    *("/", "/sign-up/", "/log-in/", "/account/preferences/", "/there-is-none/", "/there-is-none"),
    *("/static/accounts/mailroom.css", "/admin/", "/admin/login/", "/admin/accounts/user/add/", "/healthz/live"),
    *("/webhooks/ses/", "/webhooks/sendgrid/", "/webhooks/postmark/", "/webhooks/unknown/", "/webhooks/ses"),
    *("/language/", "/%77ebhooks/ses/", "//webhooks/ses/"),
]


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        ({}, None),
        ({"CONTENT_LENGTH": ""}, None),
        ({"CONTENT_LENGTH": "1000"}, None),
        ({"CONTENT_LENGTH": "1001"}, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        ({"CONTENT_LENGTH": "9" * 9000}, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        ({"CONTENT_LENGTH": "-1"}, HTTPStatus.BAD_REQUEST),
        ({"CONTENT_LENGTH": "²"}, HTTPStatus.BAD_REQUEST),
        ({"CONTENT_LENGTH": "1e9"}, HTTPStatus.BAD_REQUEST),
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, HTTPStatus.LENGTH_REQUIRED),
        ({"HTTP_TRANSFER_ENCODING": "gzip, chunked", "CONTENT_LENGTH": "1"}, HTTPStatus.LENGTH_REQUIRED),
    ],
)
def test_header_decides(header, answer):
    assert body_refusal(header, 1000) == answer


@pytest.mark.parametrize("provider", [name for name in PROVIDERS if reports(name)])
def test_webhook_has_the_limit_of_its_provider(provider):
    assert max_bytes(reverse("notifications:webhook", args=[provider])) == webhook_of(provider).max_bytes
    assert max_bytes(f"/webhooks/{provider}x/") == settings.DATA_UPLOAD_MAX_MEMORY_SIZE


@pytest.mark.django_db
def test_file_of_a_form_is_not_stored(admin_client):
    user = UserFactory(name="Ada")
    file = SimpleUploadedFile("a.txt", b"text")
    page = admin_client.post(reverse("admin:accounts_user_change", args=[user.pk]), {"name": "Eve", "file": file})
    assert page.wsgi_request.FILES == {}
    assert page.wsgi_request.POST["name"] == "Eve"


@pytest.mark.django_db
def test_admin_accepts_its_forms(admin_client):
    user = UserFactory(name="Ada")
    change = reverse("admin:accounts_user_change", args=[user.pk])
    fields = {"email": user.email, "name": "Eve", "is_active": "on", "confirmed_at_0": "", "confirmed_at_1": ""}
    assert admin_client.post(change, fields).status_code == HTTPStatus.FOUND
    assert User.objects.get(pk=user.pk).name == "Eve"


def _asked(port, path, header, first=b""):
    """Send only the header and `first` of the body. Return the status, and whether the site disconnects."""
    # A long timeout for busy machines; a site that waits for the body would never respond.
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        request = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n{header}\r\n"
        sock.sendall(request.encode() + first)
        answer = HTTPResponse(sock, method="POST")
        answer.begin()
        answer.read()
        return answer.status, answer.getheader("Connection") == "close"


def _on_disk(folder):
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize("path", PATHS)
def test_long_body_is_refused_by_its_header_without_traces_on_disk(site, path):
    port, folder = site
    before = _on_disk(folder)
    answer = _asked(port, path, f"{MULTIPART}Content-Length: {GIGABYTE}\r\n", PART)
    assert answer == (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, True)
    assert _on_disk(folder) == before


@pytest.mark.parametrize("path", PATHS)
def test_body_without_a_length_is_refused_by_its_header(site, path):
    port, folder = site
    before = _on_disk(folder)
    first = b"%x\r\n%s\r\n" % (len(PART), PART)
    answer = _asked(port, path, f"{MULTIPART}Transfer-Encoding: chunked\r\n", first)
    assert answer == (HTTPStatus.LENGTH_REQUIRED, True)
    assert _on_disk(folder) == before


def test_sender_of_a_gigabyte_is_disconnected(site):
    port, folder = site
    before = _on_disk(folder)
    sent = 0
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        header = f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n{MULTIPART}Content-Length: {GIGABYTE}\r\n\r\n"
        sock.sendall(header.encode() + PART)
        try:
            while sent < GIGABYTE:
                sent += sock.send(b"x" * 65_536)
        except OSError:
            pass
    assert sent < GIGABYTE // 10
    assert _on_disk(folder) == before
    # A short body is read, and refused because it has no CSRF token.
    assert _asked(port, "/", "Content-Length: 0\r\n") == (HTTPStatus.FORBIDDEN, False)


def test_body_announced_by_expect_is_refused_before_it_is_sent(site):
    port, _ = site
    header = f"{MULTIPART}Content-Length: {GIGABYTE}\r\nExpect: 100-continue\r\n"
    assert _asked(port, "/sign-up/", header) == (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, True)


def test_webhook_may_be_longer_than_a_form(site):
    port, _ = site
    body = b"x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    status, _ = _asked(port, "/webhooks/sendgrid/", f"Content-Length: {len(body)}\r\n", body)
    # The body is read; without a key for its signature the site responds with 503.
    assert status == HTTPStatus.SERVICE_UNAVAILABLE
