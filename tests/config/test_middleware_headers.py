"""The security headers of responses, over HTTP and HTTPS."""

import json
import os

import pytest
from django.test import Client
from django.urls import reverse

from accounts.links import confirmation_path, password_reset_path
from config.environment import BASE_DIR
from tests import forked
from tests.factories import UserFactory

PAGES = ["/", "/sign-up/", "/log-in/", "/password-reset/", "/admin/login/", "/healthz/live", "/there-is-none/"]
# Prints the responses of a process with production settings as one line of JSON, without a database.
ASK = """
import json, django
django.setup()
from django.conf import settings
from django.test import Client
settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
asked = [("/", False), ("/healthz/live", False), ("/log-in/", True)]
answers = [Client().get(path, secure=secure) for path, secure in asked]
print(json.dumps([[answer.status_code, {**answer.headers}, answer.cookies.output()] for answer in answers]))
"""


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
def test_page_loads_nothing_external_and_runs_nothing_inline(client, path):
    policy = dict(one.split(" ", 1) for one in client.get(path)["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "font-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "frame-src": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "object-src": "'none'",
    }


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
def test_page_reveals_no_software(client, path):
    answer = client.get(path)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]


@pytest.mark.django_db
def test_error_pages_have_the_headers_too(client):
    client.raise_request_exception = False
    bad_host = client.get("/", headers={"Host": "not-ours.example"})
    refused = client.put("/log-out/")
    for answer in (bad_host, refused):
        assert answer.status_code in {400, 405}
        assert answer["Content-Security-Policy"]
        assert answer["Permissions-Policy"]


@pytest.mark.django_db
@pytest.mark.parametrize("link", [confirmation_path, password_reset_path])
def test_page_with_a_token_keeps_its_url_secret(client, link):
    path = link(UserFactory())
    for answer in (client.get(path), client.get(path[:-3] + "/")):
        assert answer["Referrer-Policy"] == "strict-origin"
        assert answer["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_form_of_a_page_with_a_token_is_accepted(csrf_client):
    # With the policy `no-referrer`, browsers would send `Origin: null`, which Django refuses.
    path = confirmation_path(UserFactory())
    fields = {
        "csrfmiddlewaretoken": str(csrf_client.get(path).context["csrf_token"]),
        "password": "correct horse battery",
    }
    assert csrf_client.post(path, fields, headers={"Origin": "null"}).status_code == 403
    assert csrf_client.post(path, fields, headers={"Origin": "http://testserver"}).status_code == 302


@pytest.fixture
def csrf_client(settings):
    settings.ALLOWED_HOSTS = ["testserver"]
    return Client(enforce_csrf_checks=True)


@pytest.mark.django_db
def test_other_pages_have_the_usual_referrer_policy(client):
    assert client.get(reverse("accounts:log-in"))["Referrer-Policy"] == "same-origin"


@pytest.fixture(scope="module")
def over_https():
    environment = {
        "PATH": os.environ["PATH"],
        "MAILROOM_ENV_FILE": os.devnull,
        "MAILROOM_ROLE": "manage",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SECRET_KEY": "a-key-for-this-test-alone-that-is-long-and-has-letters-and-digits-0123456789",
        "SITE_URL": "https://mail.example.com",
        "ALLOWED_HOSTS": "testserver",
        "EMAIL_PROVIDERS": "smtp",
        "SMTP_URL": "smtp://127.0.0.1:1",
    }
    done = forked.run("-c", ASK, folder=BASE_DIR, environment=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_http_redirects_to_https(over_https):
    (status, headers, _), _, _ = over_https
    assert (status, headers["Location"]) == (301, "https://testserver/")


def test_probe_is_answered_over_http(over_https):
    _, (status, _, _), _ = over_https
    assert status == 200


def test_https_sets_hsts_and_secure_cookies(over_https):
    _, _, (status, headers, cookies) = over_https
    assert status == 200
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "csrftoken" in cookies
    assert "Secure" in cookies
    assert "default-src 'none'" in headers["Content-Security-Policy"]
