"""People in the Django admin."""

import pytest
from django.urls import reverse

from accounts.models import User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_list_search_and_detail(admin_client):
    user = UserFactory(name="Ada")
    assert user.email in admin_client.get(reverse("admin:accounts_user_changelist"), {"q": "ada"}).content.decode()
    page = admin_client.get(reverse("admin:accounts_user_change", args=[user.pk]))
    assert user.email in page.content.decode()


@pytest.mark.parametrize(
    ("address", "added"), [("Ada@Example.com", True), ("nonsense", False), ("a@example.com\nb@example.com", False)]
)
def test_adding_checks_the_address(admin_client, address, added):
    fields = {"email": address, "usable_password": "true", "password1": "correct horse", "password2": "correct horse"}
    answer = admin_client.post(reverse("admin:accounts_user_add"), fields)
    assert answer.status_code == (302 if added else 200)
    assert User.objects.filter(email="ada@example.com").exists() is added


def test_taken_address_is_said(admin_client):
    UserFactory(email="ada@example.com")
    fields = {"email": "ADA@example.com", "usable_password": "false"}
    page = admin_client.post(reverse("admin:accounts_user_add"), fields)
    assert "There is already an account with this address." in page.content.decode()
