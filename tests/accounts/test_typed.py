"""Text that is the same to a person is the same to the site, however it was typed or pasted."""

import os
import subprocess
import sys

import pytest
from django.contrib.auth import hashers
from django.urls import reverse
from django.utils import timezone

from accounts.addresses import canonical_address
from accounts.models import User
from accounts.typed import one_form, prose
from config.environment import BASE_DIR
from notifications.events import suppress
from notifications.models import ProviderEvent
from notifications.rules.suppression import Reason
from tests.factories import MessageFactory, UserFactory

FULLWIDTH = "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44 \uff54\uff59\uff50\uff45\uff44 here"
PLAIN = "password typed here"


@pytest.mark.parametrize(
    "pasted",
    [
        "ada@example.com",
        " ada@example.com\t",
        "\ufeffada@example.com",
        "ada\u200b@example.com\u200b",
        "ada@exam\u00adple.com",
        "\u00a0ada@example.com\u202f",
        "\u202aada@example.com\u202c",
        "\u2066ada@example.com\u2069",
        "ada\u2060@example.com",
        "ada@example.com\u200e",
        "ada@example.com\ufe0f",
        "ada@example\u3002com",
        "\uff41\uff44\uff41\uff20\uff45xample\uff0ecom",
    ],
)
def test_pasted_address_is_the_address(pasted):
    assert canonical_address(pasted) == "ada@example.com"


@pytest.mark.django_db
@pytest.mark.parametrize("pasted", ["ada\u200b@example.com", "\u00a0ada@exam\u00adple.com"])
def test_every_form_takes_a_pasted_address(client, pasted):
    user = UserFactory(email="ada@example.com", confirmed_at=timezone.now())
    user.set_password(PLAIN)
    user.save()
    for page in ("password-reset", "confirm-again"):
        assert client.post(reverse(f"accounts:{page}"), {"email": pasted}).status_code == 302
    assert client.post(reverse("accounts:log-in"), {"username": pasted, "password": PLAIN}).status_code == 302
    page = client.post(reverse("accounts:address-change"), {"email": pasted, "current_password": PLAIN})
    assert page.context["form"].errors.as_data()["email"][0].code == "unchanged"


@pytest.mark.django_db
def test_search_of_the_admin_finds_what_was_pasted(admin_client):
    UserFactory(email="ada@example.com", name="Ada Lovelace")
    for pasted in ("ada\u200b@example.com", "\u00a0\uff41da@exam", "Ada\u00a0Love\u00adlace"):
        page = admin_client.get(reverse("admin:accounts_user_changelist"), {"q": pasted})
        assert page.context["cl"].result_count == 1


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["message", "deadletter", "uncertainmessage", "suppression", "providerevent"])
def test_search_of_the_engine_finds_what_was_pasted(admin_client, name):
    user = UserFactory(email="ada@example.com")
    MessageFactory(user=user)
    MessageFactory(user=user, status="dead")
    MessageFactory(user=user, uncertain=True)
    suppress.suppress(user.email, Reason.BY_HAND, "")
    ProviderEvent.objects.create(provider="ses", event_id="1", kind="delivered", recipient=user.email, payload={})
    listed = reverse(f"admin:notifications_{name}_changelist")
    plain = admin_client.get(listed, {"q": "ada@example.com"}).context["cl"].result_count
    pasted = admin_client.get(listed, {"q": "\u200bada@example\u00ad.com\u00a0"}).context["cl"].result_count
    assert pasted == plain > 0


@pytest.mark.parametrize(
    ("text", "form"), [("a\u00a0b", "a b"), ("\uff41", "a"), ("a\u00ad\u200b\ufeffb", "ab"), ("a\r\nb", "a\r\nb")]
)
def test_one_form(text, form):
    assert one_form(text) == form


def test_prose_keeps_what_its_author_sees():
    assert (
        prose("un\u00a0mot\u00ad, \U0001f469\u200d\U0001f4bb e\u0301\ufeff")
        == "un\u00a0mot, \U0001f469\u200d\U0001f4bb \u00e9"
    )


def test_settings_in_headers_lose_what_was_pasted_along(environment):
    environment |= {
        "SITE_NAME": "\ufeffMail\u00adroom\u00a0Ltd",
        "DEFAULT_FROM_EMAIL": "Mail\u00a0room <a\u200b@mail.example>",
    }
    ask = "from django.conf import settings; print(settings.SITE_NAME, settings.DEFAULT_FROM_EMAIL, sep='|')"
    done = subprocess.run(
        [sys.executable, "-c", ask], cwd=BASE_DIR, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "Mailroom Ltd|Mail room <a@mail.example>"


@pytest.fixture
def environment():
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONUTF8": "1"}


@pytest.mark.parametrize("typed", [PLAIN, FULLWIDTH])
@pytest.mark.parametrize("chosen", [PLAIN, FULLWIDTH])
def test_password_is_the_same_however_it_is_encoded(chosen, typed):
    user = User()
    user.set_password(chosen)
    assert user.check_password(typed)
    assert not user.check_password(typed + "x")


def test_hash_of_a_password_as_it_was_typed_still_matches():
    user = User(password=hashers.make_password(FULLWIDTH))
    assert user.check_password(FULLWIDTH)
    assert not user.check_password(PLAIN)


def test_spaces_of_a_password_count():
    user = User()
    user.set_password(" a  b ")
    assert not user.check_password("a b")


@pytest.mark.django_db
@pytest.mark.parametrize("password", [PLAIN, FULLWIDTH])
def test_log_in_hashes_as_often_where_there_is_no_account(client, monkeypatch, password):
    user = UserFactory(email="ada@example.com", confirmed_at=timezone.now())
    user.set_password("another password")
    user.save()
    hashed = []
    hasher = type(hashers.get_hasher())
    monkeypatch.setattr(
        hasher, "encode", lambda self, *given, encode=hasher.encode: hashed.append(1) or encode(self, *given)
    )
    counts = []
    for address in ("ada@example.com", "nobody@example.com"):
        hashed.clear()
        client.post(reverse("accounts:log-in"), {"username": address, "password": password})
        counts.append(len(hashed))
    assert counts[0] == counts[1] > 0


@pytest.mark.django_db
@pytest.mark.parametrize("password", [FULLWIDTH.split(maxsplit=1)[0], "\uff11" * 9, "\uff41\uff44\uff41@example.com"])
def test_password_is_no_better_for_its_wide_letters(client, password):
    form = client.post(reverse("accounts:sign-up"), {"email": "ada@example.com", "password": password}).context["form"]
    assert form.errors.keys() == {"password"}
