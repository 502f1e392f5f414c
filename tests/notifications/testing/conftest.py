import pytest

from notifications import Draft, enqueue
from tests.factories import UserFactory


@pytest.fixture
def user(db):
    return UserFactory(email="ada@example.com", name="Ada")


@pytest.fixture
def welcome(user):
    """Enqueue a message to the user, as an application does."""
    return lambda **options: enqueue(Draft(kind="welcome", to=user.email, user=user, **options))
