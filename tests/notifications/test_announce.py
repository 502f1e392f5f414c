from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from notifications.delivery.rendering import render
from notifications.feedback import suppressing
from notifications.models import Message
from notifications.suppressions import Reason
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def announce(name="spring", headline="News & more", text="One.\n\nTwo <3.", **options):
    out = StringIO()
    call_command("announce", name, to="confirmed", headline=headline, text=text, stdout=out, **options)
    return out.getvalue().strip()


@pytest.fixture
def readers():
    UserFactory()
    UserFactory(confirmed_at=timezone.now(), is_active=False)
    return UserFactory.create_batch(3, confirmed_at=timezone.now())


def test_confirmed_people_get_it_once_per_name(readers):
    assert announce(dry_run=True) == "3 people would get it."
    assert announce() == "3 messages enqueued."
    assert announce() == "0 messages enqueued."
    assert announce("summer") == "3 messages enqueued."
    assert set(Message.objects.values_list("stream", flat=True)) == {"bulk"}
    assert set(Message.objects.values_list("to_address", flat=True)) == {reader.email for reader in readers}


def test_who_unsubscribed_is_kept_back_and_counted(readers):
    suppressing.suppress(readers[0].email, Reason.UNSUBSCRIBED, "")
    assert announce() == "2 messages enqueued. 1 kept back."


def test_mail_says_what_was_written(readers):
    announce()
    mail = render(Message.objects.select_related("user").first(), attempt=1)
    assert mail.subject == "News & more"
    assert "One.\n\nTwo <3." in mail.text
    assert ">Two &lt;3.</p>" in mail.html


@pytest.mark.parametrize("empty", [{"headline": " "}, {"text": "\n\n"}])
def test_empty_announcement_is_refused(readers, empty):
    with pytest.raises(CommandError, match="needs a headline and a text"):
        announce(**empty)
    assert not Message.objects.exists()
