"""Names are validated and normalized; older names stay."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.names import MAX_LENGTH, check_name, normalize_name
from tests.factories import UserFactory

SIGN_UP = reverse("accounts:sign-up")
PREFERENCES = reverse("accounts:preferences")
PASSWORD = "correct horse battery"
OLD = "Ada, Countess of 1815 www.example.com " + "x" * 100


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""),
        ("Ada Lovelace", "Ada Lovelace"),
        ("J.R.R. Tolkien", "J.R.R. Tolkien"),
        ("Martin Luther King Jr.", "Martin Luther King Jr."),
        ("St. John-Smith", "St. John-Smith"),
        ("Ada Ph.D.", "Ada Ph.D."),
        ("'t Hooft", "'t Hooft"),
        ("O\u2019Brien", "O\u2019Brien"),
        # Typed with an accent or by a word processor.
        ("O\u00b4Brien", "O\u2019Brien"),
        ("Jean\u2011Luc", "Jean-Luc"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("Ada\u00a0\u2003Lovelace ", "Ada Lovelace"),
        ("\ufeffA\u00add\u200ba", "Ada"),
        ("\uff21\uff44\uff41", "Ada"),
        ("\ufb01nn", "finn"),
        ("نازنین", "نازنین"),
        ("علی\u200cرضا", "علیرضا"),
        ("रामचन्द्र", "रामचन्द्र"),
        ("Nguyễn Văn A", "Nguyễn Văn A"),
        ("约翰·史密斯", "约翰·史密斯"),
        ("ジョン・スミス", "ジョン・スミス"),
        ("x" * MAX_LENGTH, "x" * MAX_LENGTH),
        # Only invisible characters.
        ("\u3164\u115f", ""),
    ],
)
def test_name_of_any_script_is_normalized(typed, kept):
    check_name(typed)
    assert normalize_name(typed) == kept
    assert normalize_name(kept) == kept


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("x" * (MAX_LENGTH + 1), "max_length"),
        ("bit.ly", "link"),
        ("Visit example.com now", "link"),
        ("t.co", "link"),
        ("пример.рф", "link"),
        # In these scripts, vowels are combining marks.
        ("उदाहरण.भारत", "link"),
        ("বাংলা.বাংলা", "link"),
        ("bit.\u0301ly", "link"),
        ("evil.c\u20ddom", "link"),
        ("exa\u00admple\u200b.com", "link"),
        ("example\uff0ecom", "link"),
        ("example\u2024com", "link"),
        ("WWW.example", "link"),
        ("https://example", "link"),
        ("example\u3002com", "characters"),
        ("example/path", "characters"),
        ("ada@example", "characters"),
        ("=?utf-8?q?=FF=FE?=", "characters"),
        ("=?UTF-8?B?aGk=?=", "characters"),
        ("Ada 1815", "characters"),
        ("Ada, Countess", "characters"),
        ("🎩", "characters"),
        ("...", "characters"),
        ("<b>Ada</b>", "characters"),
        ("Z" + "\u0335" * 20, "characters"),
        ("Ada\nBcc: eve", "control_characters"),
        ("Ada\u2028Eve", "control_characters"),
        ("A\x00da", "control_characters"),
        ("A\u202eda", "control_characters"),
        ("\u2067Ada\u2069", "control_characters"),
        ("Ada\u061c", "control_characters"),
    ],
)
def test_invalid_value_is_rejected_with_a_reason(typed, code):
    with pytest.raises(ValidationError) as refusal:
        check_name(typed)
    assert refusal.value.code == code


@pytest.mark.django_db
def test_every_form_normalizes_and_validates_names(client, admin_client):
    fields = {"email": "ada@example.com", "password": PASSWORD}
    assert "name" in client.post(SIGN_UP, fields | {"name": "bit.ly"}).context["form"].errors
    client.post(SIGN_UP, fields | {"name": "\u200bAda\u00a0 L"})
    user = User.objects.get(email="ada@example.com")
    assert user.name == "Ada L"
    change = reverse("admin:accounts_user_change", args=[user.pk])
    add = reverse("admin:accounts_user_add")
    answer = admin_client.post(change, {"email": user.email, "name": "bit.ly", "is_active": "on"})
    assert "name" in answer.context["adminform"].form.errors
    answer = admin_client.post(add, {"email": "b@example.com", "name": "bit.ly", "usable_password": "false"})
    assert "name" in answer.context["adminform"].form.errors
    admin_client.post(add, {"email": "b@example.com", "name": "B\u00adob", "usable_password": "false"})
    assert User.objects.get(email="b@example.com").name == "Bob"
    assert User.objects.create_user("c@example.com", name="\ufeffCleo").name == "Cleo"
    with pytest.raises(ValueError, match=r"\."):
        User.objects.create_user("d@example.com", name="bit.ly")


@pytest.mark.django_db
def test_older_invalid_name_stays_until_it_is_changed(client, admin_client):
    user = UserFactory(name=OLD, confirmed_at=timezone.now())
    client.force_login(user)
    assert OLD in client.get(PREFERENCES).content.decode()
    assert client.post(PREFERENCES, {"name": OLD, "language": "de"}).status_code == 302
    change = reverse("admin:accounts_user_change", args=[user.pk])
    confirmed = {"confirmed_at_0": "2026-01-01", "confirmed_at_1": "00:00:00"}
    fields = {"email": user.email, "name": OLD, "is_active": "on", "language": "", **confirmed}
    assert admin_client.post(change, fields).status_code == 302
    user.refresh_from_db()
    assert (user.name, user.language) == (OLD, "de")
    client.force_login(user)
    assert client.post(PREFERENCES, {"name": OLD + "y", "language": "de"}).status_code == 200
    assert client.post(PREFERENCES, {"name": "Ada", "language": "de"}).status_code == 302
    user.refresh_from_db()
    assert user.name == "Ada"
