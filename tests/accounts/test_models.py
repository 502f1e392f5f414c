import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.db.models.signals import post_save

from accounts.models import User
from notifications.models import Message


def test_user_model_is_ours():
    assert get_user_model() is User


def test_password_is_kept_as_owasp_says():
    kept = make_password("correct horse", hasher="argon2")
    assert kept.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert check_password("correct horse", kept)


@pytest.mark.django_db
def test_address_is_unique_whatever_its_case_also_past_django():
    User.objects.create_user("ada@example.com")
    User.objects.create_user("bob@example.com")
    with (
        pytest.raises(IntegrityError, match="accounts_user_email_ci_unique"),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE accounts_user SET email = 'ADA@example.com' WHERE email = 'bob@example.com'")


@pytest.mark.django_db
def test_saved_address_is_canonical_on_the_instance_too():
    user = User(email="Ada@BÜCHER.example")
    user.save()
    assert user.email == "ada@xn--bcher-kva.example"
    assert Message.objects.get().to_address == user.email
    assert User.objects.get(email="ADA@bücher.example") == user


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["ada@bücher.example", "ADA@xn--bcher-kva.example"])
def test_user_is_found_however_the_address_is_typed(typed):
    user = User.objects.create_user("Ada@BÜCHER.example", "a password")
    assert user.email == "ada@xn--bcher-kva.example"
    assert User.objects.get_by_natural_key(typed) == user


@pytest.mark.django_db
@pytest.mark.parametrize("typed", [None, "", "nobody", "a@b@c", "x\x00@example.com", "nobody@example.com"])
def test_what_is_nobodys_address_finds_nobody(typed):
    with pytest.raises(User.DoesNotExist):
        User.objects.get_by_natural_key(typed)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "name"),
    [("", ""), ("ada", ""), ("a@example.com,b@example.com", ""), ("a@example.com", "Ada\r\nBcc: b@example.com")],
)
def test_create_user_refuses_what_a_form_would(address, name):
    with pytest.raises(ValueError, match=r"\."):
        User.objects.create_user(address, name=name)
    assert not User.objects.exists()


@pytest.mark.django_db
def test_same_address_twice_is_said_at_the_field():
    User.objects.create_user("ada@example.com")
    with pytest.raises(ValidationError) as refusal:
        User(email="Ada@example.com", password="x").full_clean()
    (error,) = refusal.value.error_dict["email"]
    assert (set(refusal.value.error_dict), error.code) == ({"email"}, "unique")


@pytest.mark.django_db
def test_createsuperuser_refuses_a_bad_address():
    with pytest.raises((CommandError, ValueError)):
        call_command("createsuperuser", interactive=False, email="not-an-address", verbosity=0)
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_user_and_its_mail_come_true_together_in_autocommit_too():
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
