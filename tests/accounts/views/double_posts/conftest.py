import pytest
from django.utils import timezone

from accounts.models import User
from tests.accounts.views.double_posts.posting import PASSWORD


@pytest.fixture
def user():
    user = User(email="ada@example.com", name="Ada", confirmed_at=timezone.now())
    user.set_password(PASSWORD)
    User.objects.bulk_create([user])
    return User.objects.get()
