import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.db.models.signals import post_save

from accounts.models import User
from notifications.models import Message


def test_user_model_is_the_sites():
    assert get_user_model() is User


def test_password_is_hashed_as_owasp_recommends():
    kept = make_password("correct horse", hasher="argon2")
    assert kept.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert check_password("correct horse", kept)


@pytest.mark.django_db
def test_address_is_unique_in_any_case_also_in_sql():
    User.objects.create_user("ada@example.com")
    User.objects.create_user("bob@example.com")
    with (
        pytest.raises(IntegrityError, match="accounts_user_email_ci_unique"),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE accounts_user SET email = 'ADA@example.com' WHERE email = 'bob@example.com'")


@pytest.mark.django_db
def test_saved_address_is_normalized_on_the_instance():
    user = User(email="Ada@BÜCHER.example")
    user.save()
    assert user.email == "ada@xn--bcher-kva.example"
    assert Message.objects.get().to_address == user.email
    assert User.objects.get(email="ADA@bücher.example") == user


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["ada@bücher.example", "ADA@xn--bcher-kva.example"])
def test_user_is_found_by_any_spelling_of_the_address(typed):
    user = User.objects.create_user("Ada@BÜCHER.example", "a password")
    assert user.email == "ada@xn--bcher-kva.example"
    assert User.objects.get_by_natural_key(typed) == user


@pytest.mark.django_db
@pytest.mark.parametrize("typed", [None, "", "unknown", "a@b@c", "x\x00@example.com", "unknown@example.com"])
def test_unknown_address_finds_no_user(typed):
    with pytest.raises(User.DoesNotExist):
        User.objects.get_by_natural_key(typed)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "name"),
    [("", ""), ("ada", ""), ("a@example.com,b@example.com", ""), ("a@example.com", "Ada\r\nBcc: b@example.com")],
)
def test_create_user_rejects_what_a_form_rejects(address, name):
    with pytest.raises(ValueError, match=r"\."):
        User.objects.create_user(address, name=name)
    assert not User.objects.exists()


@pytest.mark.django_db
def test_duplicate_address_is_reported_at_the_field():
    User.objects.create_user("ada@example.com")
    with pytest.raises(ValidationError) as refusal:
        User(email="Ada@example.com", password="x").full_clean()
    (error,) = refusal.value.error_dict["email"]
    assert (set(refusal.value.error_dict), error.code) == ({"email"}, "unique")


@pytest.mark.django_db
def test_createsuperuser_rejects_a_bad_address():
    with pytest.raises((CommandError, ValueError)):
        call_command("createsuperuser", interactive=False, email="not-an-address", verbosity=0)
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_user_and_welcome_email_are_saved_together_in_autocommit():
    def fail(**kwargs):
        raise RuntimeError("a receiver fails")

    post_save.connect(fail, sender=User)
    try:
        with pytest.raises(RuntimeError):
            User.objects.create_user("ada@example.com")
    finally:
        post_save.disconnect(fail, sender=User)
    assert not User.objects.exists()
    assert not Message.objects.exists()
