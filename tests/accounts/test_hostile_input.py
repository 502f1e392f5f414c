"""What people with bad intentions and broken programs post: never a 5xx, never a second recipient."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from notifications.models import Message
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

PATHS = [reverse(f"accounts:{name}") for name in ("sign-up", "log-in", "password-reset")]
NASTY = [
    "",
    " ",
    "\x00",
    "\r\nBcc: eve@example.com",
    "ada@example.com\r\nBcc: eve@example.com",
    "ada@example.com%0aBcc:eve@example.com",
    "ada@example.com,eve@example.com",
    "ada@example.com;eve@example.com",
    "ada@example.com eve@example.com",
    "<ada@example.com>, <eve@example.com>",
    '"ada@example.com, eve"@example.com',
    "' OR 1=1 --",
    "<script>alert(1)</script>@example.com",
    "{{ 7 * 7 }}@example.com",
    "ada@example.com\u2028eve@example.com",
    "ada@ｅｘａｍｐｌｅ.com",
    "аda@example.com",
    "ada@exam\u200dple.com",
    "\ud83d\ude00@example.com".encode("utf-16", "surrogatepass").decode("utf-16"),
    "\u202eada@example.com",
    "ada@example..com",
    "a" * 100_000,
    "@" * 1000,
    "ada@" + "x." * 2000 + "com",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_nasty_text_is_a_form_error_or_a_correct_delivery(path, text):
    owner = UserFactory(email="ada@example.com")
    fields = dict.fromkeys(("email", "username", "name", "password"), text)
    status = Client(raise_request_exception=True).post(path, fields).status_code
    assert status in {200, 302, 400, 413}
    for message in Message.objects.all():
        assert message.to_address.count("@") == 1
        assert not set(message.to_address) & set(" ,;<>\r\n\x00")
    assert User.objects.filter(is_staff=True).count() == 0
    owner.refresh_from_db()
    assert owner.email == "ada@example.com"


@pytest.mark.parametrize("text", ["Ada, Countess", "🎩", "Bobby'); DROP TABLE--", '"quoted" <x@y.example>', "A" * 150])
def test_strange_name_makes_one_mail_to_one_person(client, text):
    fields = {"email": "ada@example.com", "name": text, "password": "correct horse battery"}
    assert client.post(PATHS[0], fields).status_code == 302
    assert Message.objects.get().to_address == "ada@example.com"


@pytest.mark.parametrize("path", PATHS)
def test_huge_body_is_refused(client, path):
    body = b"email=" + b"a" * 5_000_000
    status = client.post(path, body, content_type="application/x-www-form-urlencoded").status_code
    assert status in {400, 413}
    assert not Message.objects.exists()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\xff\xfe\x00email=\xff", "application/x-www-form-urlencoded"),
        (b"not a multipart body", "multipart/form-data; boundary=x"),
        (b"{}", "application/json"),
        (b"email=%FF%FE&name=%00", "application/x-www-form-urlencoded"),
        (b"&".join(b"f%d=1" % number for number in range(5000)), "application/x-www-form-urlencoded"),
    ],
)
def test_broken_body_is_refused(client, path, body, content_type):
    assert client.post(path, body, content_type=content_type).status_code in {200, 400, 413}
    assert not Message.objects.exists()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["put", "delete", "patch", "options", "head", "trace"])
def test_other_methods_change_nothing(client, path, method):
    status = getattr(client, method)(path).status_code
    assert status in {200, 405}
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "where", ["?error_fingerprint=%00", "?kind=%00", "?q=a%00b", "?o=%00", "?e%00=1", "?p=1&x=%00"]
)
@pytest.mark.parametrize("model", ["deadletter", "message", "providerevent", "suppression", "uncertainmessage"])
def test_nul_in_a_question_is_a_clean_answer(admin_client, model, where):
    assert admin_client.get(reverse(f"admin:notifications_{model}_changelist") + where).status_code == 400


@pytest.mark.parametrize("path", [*PATHS, "/", "/healthz/", "/admin/accounts/user/", "/static/x"])
def test_nul_in_a_question_is_refused_everywhere(path):
    assert Client(raise_request_exception=True).get(f"{path}?next=%00").status_code == 400
