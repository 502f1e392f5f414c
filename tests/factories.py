"""Rows for tests."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import factory
from django.db.models.functions import Now

from accounts.models import User
from notifications.models import Message
from notifications.states import Status, Stream


class UserFactory(factory.django.DjangoModelFactory[User]):
    """A user who came in past the signals, so that a test's messages are the ones it makes itself."""

    class Meta:
        model = User

    email = factory.Sequence(lambda number: f"person{number}@example.com")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        (user,) = User.objects.bulk_create([User(*args, **kwargs)])
        return user


class MessageFactory(factory.django.DjangoModelFactory[Message]):
    class Meta:
        model = Message

    kind = "welcome"
    stream = Stream.DEFAULT
    user = factory.SubFactory(UserFactory)
    to_address = factory.LazyAttribute(lambda message: message.user.email)
    idempotency_key = factory.LazyFunction(lambda: f"test:{uuid4()}")
    expires_at = factory.LazyFunction(lambda: Now() + timedelta(days=1))

    class Params:
        sending = factory.Trait(
            status=Status.SENDING,
            attempts=1,
            provider="scripted",
            lease_token=factory.LazyFunction(uuid4),
            lease_until=factory.LazyFunction(lambda: Now() + timedelta(seconds=60)),
        )
        # A worker took it and was never heard of again.
        abandoned = factory.Trait(sending=True, lease_until=factory.LazyFunction(lambda: Now() - timedelta(seconds=1)))
        handed_over = factory.Trait(handed_over_at=factory.LazyFunction(lambda: Now() - timedelta(seconds=30)))
        uncertain = factory.Trait(
            status=Status.UNCERTAIN,
            attempts=1,
            settle_at=factory.LazyFunction(lambda: Now() - timedelta(seconds=1)),
        )
