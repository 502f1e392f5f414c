"""Text that looks the same is the same to the site, whether typed or pasted."""

import pytest
from django.contrib.auth import hashers
from django.urls import reverse
from django.utils import timezone

from accounts.addresses import canonical_address
from accounts.models import User
from tests.factories import UserFactory

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
def test_pasted_address_is_normalized(pasted):
    assert canonical_address(pasted) == "ada@example.com"


@pytest.mark.django_db
@pytest.mark.parametrize("pasted", ["ada\u200b@example.com", "\u00a0ada@exam\u00adple.com"])
def test_every_form_accepts_a_pasted_address(client, pasted):
    user = UserFactory(email="ada@example.com", confirmed_at=timezone.now())
    user.set_password(PLAIN)
    user.save()
    for page in ("password-reset", "confirm-again"):
        assert client.post(reverse(f"accounts:{page}"), {"email": pasted}).status_code == 302
    assert client.post(reverse("accounts:log-in"), {"username": pasted, "password": PLAIN}).status_code == 302
    page = client.post(reverse("accounts:address-change"), {"email": pasted, "current_password": PLAIN})
    assert page.context["form"].errors.as_data()["email"][0].code == "unchanged"


@pytest.mark.django_db
def test_admin_search_accepts_pasted_text(admin_client):
    UserFactory(email="ada@example.com", name="Ada Lovelace")
    for pasted in ("ada\u200b@example.com", "\u00a0\uff41da@exam", "Ada\u00a0Love\u00adlace"):
        page = admin_client.get(reverse("admin:accounts_user_changelist"), {"q": pasted})
        assert page.context["cl"].result_count == 1


@pytest.mark.parametrize("typed", [PLAIN, FULLWIDTH])
@pytest.mark.parametrize("chosen", [PLAIN, FULLWIDTH])
def test_password_matches_in_every_unicode_form(chosen, typed):
    user = User()
    user.set_password(chosen)
    assert user.check_password(typed)
    assert not user.check_password(typed + "x")


def test_older_hash_of_a_password_as_typed_matches():
    user = User(password=hashers.make_password(FULLWIDTH))
    assert user.check_password(FULLWIDTH)
    assert not user.check_password(PLAIN)


def test_spaces_in_a_password_count():
    user = User()
    user.set_password(" a  b ")
    assert not user.check_password("a b")


@pytest.mark.django_db
@pytest.mark.parametrize("password", [PLAIN, FULLWIDTH])
def test_log_in_hashes_as_often_without_an_account(client, monkeypatch, password):
    user = UserFactory(email="ada@example.com", confirmed_at=timezone.now())
    user.set_password("another password")
    user.save()
    hashed = []
    hasher = type(hashers.get_hasher())
    monkeypatch.setattr(
        hasher, "encode", lambda self, *given, encode=hasher.encode: hashed.append(1) or encode(self, *given)
    )
    counts = []
    for address in ("ada@example.com", "unknown@example.com"):
        hashed.clear()
        client.post(reverse("accounts:log-in"), {"username": address, "password": password})
        counts.append(len(hashed))
    assert counts[0] == counts[1] > 0


@pytest.mark.django_db
@pytest.mark.parametrize("password", [FULLWIDTH.split(maxsplit=1)[0], "\uff11" * 9, "\uff41\uff44\uff41@example.com"])
def test_common_password_in_wide_letters_is_rejected(client, password):
    form = client.post(reverse("accounts:sign-up"), {"email": "ada@example.com", "password": password}).context["form"]
    assert form.errors.keys() == {"password"}
