"""Everything works with Django's test cases, without pytest's fixtures."""

from django.test import TestCase, TransactionTestCase

from accounts.models import User
from notifications import Draft, enqueue
from notifications.testing import MailroomMixin, assert_enqueued, assert_not_enqueued


def enqueue_welcome() -> User:
    (user,) = User.objects.bulk_create([User(email="ada@example.com")])
    enqueue(Draft(kind="welcome", to=user.email, user=user))
    return user


class TestFunctions(TestCase):
    def test_message_is_found(self):
        assert_not_enqueued("welcome")
        user = enqueue_welcome()
        assert_enqueued("welcome", user=user, count=1)


class TestMixin(MailroomMixin, TestCase):
    def test_message_is_delivered(self):
        with self.captureOnCommitCallbacks(execute=True):
            user = enqueue_welcome()
        (email,) = self.mailroom.deliver()
        assert email.to == [user.email]


class TestMixinWithCommits(MailroomMixin, TransactionTestCase):
    def test_message_is_delivered(self):
        user = enqueue_welcome()
        (email,) = self.mailroom.deliver()
        assert email.to == [user.email]
