"""No German page has a text that is the same on the English page."""

import re
import time
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone, translation

from accounts import links
from accounts.flows.sign_up_cookie import PendingSignUp
from accounts.models import User
from notifications import Progress, lookup
from tests.factories import MessageFactory

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
SAME_IN_BOTH = {"Mailroom", "English", "Deutsch", "Name", "(optional)"}
DATA = re.compile(r"[\w.]+@[\w.]+|https?://\S+|\bAda\b")
VISITORS = [
    "home",
    "sign-up",
    "confirm-again",
    "confirm-again-done",
    "log-in",
    "password-reset",
    "password-reset-done",
    "password-reset-complete",
    "deleted",
]
MEMBERS = ["home", "password-change", "address-change", "preferences", "delete"]
SLIPS = {
    "sign-up": {"email": "ada", "name": "http://x.example", "password": "1"},
    "confirm-again": {"email": "a b@x.example"},
    "log-in": {"username": "ada@example.com", "password": "wrong"},
    "password-reset": {"email": "x" * 300},
    "password-change": {"current_password": "wrong", "password": "1"},
    "address-change": {"current_password": "wrong", "email": "ada"},
    "delete": {"current_password": "wrong"},
}


class Texts(HTMLParser):
    """Collects the texts of a page, including those for screen readers."""

    def __init__(self):
        super().__init__()
        self.found, self.tag = set(), ""

    def handle_starttag(self, tag, attrs):
        self.tag = tag
        spoken = {"alt", "aria-label", "placeholder", "title", "data-waiting"}
        self.found.update(value for name, value in attrs if name in spoken and value)

    def handle_data(self, data):
        if self.tag not in {"script", "style"}:
            self.found.add(" ".join(data.split()))


def texts(page):
    parser = Texts()
    parser.feed(page)
    return {text for text in parser.found if any(map(str.isalpha, DATA.sub("", text)))} - SAME_IN_BOTH


def is_german(page):
    """Check that a page, given as a function of the language, shares no text with the English one."""
    english, german = page("en"), page("de")
    assert '<html lang="de"' in german
    assert texts(german)
    assert texts(english) & texts(german) == set()


@pytest.fixture
def ada():
    """A member whose account page has all parts."""
    ada = User.objects.create_user(
        "ada@example.com", PASSWORD, name="Ada", confirmed_at=timezone.now(), new_email="ada.new@example.com"
    )
    for kind in ("password-reset", "password-changed", "address-change", "account-exists"):
        MessageFactory(kind=kind, user=ada)
    return ada


def browser(language, user=None):
    client = Client(headers={"Accept-Language": language})
    if user is not None:
        user.language = language
        user.save()
        client.force_login(user)
        client.cookies["django_language"] = language
    return client


def at(name, language, user=None):
    return browser(language, user).get(reverse(f"accounts:{name}"), follow=True).text


def rendered(template, language, **context):
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    with translation.override(language):
        return render_to_string(template, context, request)


@pytest.mark.parametrize("name", VISITORS)
def test_public_page(name):
    is_german(lambda language: at(name, language))


@pytest.mark.parametrize("name", MEMBERS)
def test_member_page(name, ada):
    is_german(lambda language: at(name, language, ada))


@pytest.mark.parametrize("name", SLIPS)
def test_form_with_errors(name, ada):
    def page(language):
        client = browser(language, ada if name in MEMBERS else None)
        response = client.post(reverse(f"accounts:{name}"), SLIPS[name])
        assert (response.status_code, response.context["form"].is_valid()) == (200, False)
        return response.text

    is_german(page)


@pytest.mark.parametrize(
    "path_of", [links.confirmation_path, links.password_reset_path, links.address_change_path], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("is_whole", [True, False])
@pytest.mark.parametrize("is_member", [True, False])
def test_page_behind_a_link(path_of, is_whole, is_member, ada):
    if path_of is links.confirmation_path:
        User.objects.filter(pk=ada.pk).update(confirmed_at=None)
        ada.refresh_from_db()
    path = path_of(ada) if is_whole else path_of(ada)[:-2] + "/"
    is_german(lambda language: browser(language, ada if is_member else None).get(path, follow=True).text)


@pytest.mark.parametrize("name", ["check-inbox", "correct-address"])
def test_page_after_a_sign_up(name):
    def page(language):
        client = browser(language)
        client.post(reverse("accounts:sign-up"), {"email": f"{language}@example.com", "password": PASSWORD})
        response = client.get(reverse(f"accounts:{name}"))
        assert response.status_code == 200
        return response.text

    is_german(page)


@pytest.mark.parametrize("confirmed", [False, True])
@pytest.mark.parametrize("mailed_at", [0, None])
@pytest.mark.parametrize("progress", Progress)
def test_every_state_of_a_sign_up(progress, mailed_at, confirmed, monkeypatch):
    monkeypatch.setattr(lookup, "awaited", lambda message_id, resends: lookup.AwaitedEmail(progress=progress))
    pending = PendingSignUp(address="ada@example.com", mailed_at=int(time.time()) if mailed_at is None else mailed_at)
    context = {"pending": pending, "confirmed": confirmed}
    is_german(lambda language: rendered("accounts/check_inbox.html", language, **context))


@pytest.mark.parametrize("progress", Progress)
def test_every_state_of_an_email(progress):
    badges = [rendered("accounts/progress.html", language, email={"progress": progress}) for language in ("en", "de")]
    assert texts(badges[0])
    assert texts(badges[0]) & texts(badges[1]) == set()


@pytest.mark.parametrize(
    ("template", "context"),
    [
        ("400.html", {}),
        ("403.html", {}),
        ("403_csrf.html", {}),
        ("403_csrf.html", {"needs_cookies": True}),
        ("403_csrf.html", {"is_foreign": True}),
        ("404.html", {}),
        ("429.html", {"wait": "1 h", "offers_reset": True}),
        ("429.html", {"wait": "1 h", "offers_reset": False}),
        ("500.html", {}),
        ("503.html", {"retry_after_s": 10}),
        ("accounts/address_taken.html", {}),
    ],
)
def test_error_page(template, context):
    is_german(lambda language: rendered(template, language, **context))
