"""The public API is complete, documented, and importable before Django is ready."""

import subprocess
import sys

import pytest
from django.db.models.functions import Now

import notifications
from notifications import Progress, cancel, is_unsubscribed, progress, resubscribe, resubscribed, unsubscribed
from notifications.events import suppress
from notifications.models import Message
from notifications.rules.states import Status
from notifications.rules.suppression import Reason
from tests.factories import MessageFactory


@pytest.mark.parametrize("name", notifications.__all__)
def test_every_name_exists_and_is_documented(name):
    assert getattr(notifications, name) is not None
    assert f"`{name}" in notifications.__doc__


def test_unlisted_name_raises():
    assert sorted(notifications.__all__) == sorted(notifications._MODULE_OF)
    with pytest.raises(AttributeError):
        notifications.no_such_name  # noqa: B018


def test_package_can_be_imported_before_django_is_set_up():
    subprocess.run([sys.executable, "-c", "import notifications; notifications.Stream"], check=True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "done"),
    [
        ({}, True),
        ({"sending": True}, True),
        ({"sending": True, "handed_over": True}, False),
        ({"uncertain": True}, False),
        ({"status": Status.SENT, "sent_at": Now()}, False),
    ],
)
def test_only_messages_not_handed_over_can_be_cancelled(fields, done):
    message = MessageFactory(**fields)
    before = message.status
    assert cancel(message.id, "x" * 300) is done
    after = Message.objects.get()
    assert after.status == (Status.CANCELLED if done else before)
    if done:
        assert after.lease_token is None
        assert progress(message.id) is Progress.FAILED


@pytest.mark.django_db
def test_reader_who_unsubscribed_can_resubscribe_and_one_who_complained_cannot():
    suppress.suppress("Ada@example.com", Reason.UNSUBSCRIBED, "")
    suppress.suppress("eve@example.com", Reason.COMPLAINT, "")
    assert is_unsubscribed("ada@example.com")
    assert resubscribe("ada@example.com")
    assert not is_unsubscribed("ada@example.com")
    assert not resubscribe("eve@example.com")
    assert is_unsubscribed("eve@example.com")


@pytest.mark.parametrize("signal", [unsubscribed, resubscribed])
def test_signal_has_receivers_in_the_product(signal):
    assert signal.has_listeners()
