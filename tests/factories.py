"""Rows for tests."""

from datetime import timedelta
from uuid import uuid4

from django.db.models.functions import Now
from factory import LazyAttribute, LazyFunction, Sequence, SubFactory, Trait
from factory.django import DjangoModelFactory

from accounts.models import User
from notifications.models import Message
from notifications.rules.states import Status, Stream


class UserFactory(DjangoModelFactory[User]):
    """Creates users without signals, so that a test has only the messages that it creates."""

    class Meta:
        model = User

    email = Sequence(lambda number: f"person{number}@example.com")
    wants_news = True

    @classmethod
    def _create(cls, model_class, **fields):
        (user,) = User.objects.bulk_create([User(**fields)])
        return user


class MessageFactory(DjangoModelFactory[Message]):
    class Meta:
        model = Message

    kind = "welcome"
    stream = Stream.DEFAULT
    user = SubFactory(UserFactory)
    to_address = LazyAttribute(lambda message: message.user.email)
    idempotency_key = LazyFunction(lambda: f"test:{uuid4()}")
    expires_at = LazyFunction(lambda: Now() + timedelta(days=1))
    # What the kind's templates show besides the account.
    context = LazyAttribute(lambda message: {"headline": "News"} if message.kind == "product-news" else {})
    died_at = LazyAttribute(lambda message: Now() if message.status == Status.DEAD else None)

    class Params:
        sending = Trait(
            status=Status.SENDING,
            attempts=1,
            provider="scripted",
            lease_token=LazyFunction(uuid4),
            lease_until=LazyFunction(lambda: Now() + timedelta(seconds=60)),
        )
        # Its worker was lost.
        abandoned = Trait(sending=True, lease_until=LazyFunction(lambda: Now() - timedelta(seconds=1)))
        handed_over = Trait(handed_over_at=LazyFunction(lambda: Now() - timedelta(seconds=30)))
        uncertain = Trait(
            status=Status.UNCERTAIN,
            attempts=1,
            settle_at=LazyFunction(lambda: Now() - timedelta(seconds=1)),
        )
