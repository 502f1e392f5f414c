import re
from io import StringIO
from weakref import WeakSet

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from notifications.delivery.render import render
from notifications.events import suppress
from notifications.management.commands import announce as command
from notifications.models import Message
from notifications.outbox import enqueue_many
from notifications.rules.suppression import Reason
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def announce(name="spring", headline="News & more", text="One.\n\nTwo <3.", **options):
    out = StringIO()
    call_command("announce", name, headline=headline, text=text, stdout=out, **options)
    return out.getvalue().strip()


@pytest.fixture
def readers():
    UserFactory()
    UserFactory()
    UserFactory(confirmed_at=timezone.now(), wants_news=False)
    UserFactory(confirmed_at=timezone.now(), is_active=False)
    return UserFactory.create_batch(3, confirmed_at=timezone.now())


def test_each_confirmed_reader_gets_an_announcement_once(readers):
    assert announce(dry_run=True).split()[0] == "3"
    assert announce().split()[0] == "3"
    assert announce().split()[0] == "0"
    assert announce("summer").split()[0] == "3"
    assert set(Message.objects.values_list("stream", flat=True)) == {"bulk"}
    assert set(Message.objects.values_list("to_address", flat=True)) == {reader.email for reader in readers}


def test_unsubscribed_readers_are_counted(readers):
    suppress.suppress(readers[0].email, Reason.UNSUBSCRIBED, "")
    assert re.findall(r"\d+", announce()) == ["2", "1"]


def test_email_contains_the_announcement(readers):
    announce()
    mail = render(Message.objects.select_related("user").first(), attempt=1)
    assert mail.subject == "News & more"
    assert "One.\n\nTwo <3." in mail.text
    assert ">Two &lt;3.</p>" in mail.html


@pytest.mark.parametrize("empty", [{"headline": " "}, {"text": "\n\n"}])
def test_empty_announcement_is_refused(readers, empty):
    with pytest.raises(CommandError, match=r"headline.*text"):
        announce(**empty)
    assert not Message.objects.exists()


def test_readers_of_all_batches_get_it(readers, monkeypatch):
    monkeypatch.setattr(command, "BATCH", 2)
    assert announce().split()[0] == "3"


class Written:
    """Counts the messages of earlier batches that are still in memory when a batch is written."""

    def __init__(self):
        self.alive, self.most, self.batches = WeakSet(), 0, 0

    def enqueue_many(self, drafts):
        self.most = max(self.most, len(self.alive))
        self.batches += 1
        written = enqueue_many(drafts)
        self.alive.update(written)
        return written


@pytest.fixture
def written(monkeypatch):
    written = Written()
    monkeypatch.setattr(command, "enqueue_many", written.enqueue_many)
    monkeypatch.setattr(command, "BATCH", 5)
    return written


@pytest.mark.django_db(transaction=True)
def test_memory_does_not_grow_with_the_number_of_readers(written):
    UserFactory.create_batch(60, confirmed_at=timezone.now())
    assert announce().split()[0] == "60"
    assert written.batches == 12
    # The last batch, until the next one takes its place.
    assert written.most <= 2 * command.BATCH


def test_progress_is_reported(readers, monkeypatch):
    monkeypatch.setattr(command, "BATCH", 2)
    monkeypatch.setattr(command, "REPORT_EVERY", 3)
    assert [line.split()[0] for line in announce().splitlines()] == ["3", "3"]


@pytest.mark.django_db(transaction=True)
def test_interrupted_announcement_continues(written, monkeypatch):
    UserFactory.create_batch(12, confirmed_at=timezone.now())

    def interrupted(drafts):
        if written.batches == 2:
            raise KeyboardInterrupt
        return written.enqueue_many(drafts)

    with monkeypatch.context() as patched:
        patched.setattr(command, "enqueue_many", interrupted)
        with pytest.raises(KeyboardInterrupt):
            announce()
    assert Message.objects.count() == 10
    assert announce().split()[0] == "2"


def test_same_name_in_another_encoding_is_the_same_announcement(readers):
    announce("spring news")
    assert announce("\u200bspring\u00a0news\ufeff").split()[0] == "0"


def test_invisible_characters_are_removed(readers):
    announce(headline="\ufeffNe\u00adws", text="One.\r\n \r\nTw\u200bo.")
    assert Message.objects.first().context == {"headline": "News", "paragraphs": ["One.", "Two."]}


@pytest.mark.parametrize("headline", ["=?utf-8?q?=FF=FE?=", "a\nb", "a\u202eb", "a\x00b"])
def test_misleading_headline_is_refused(readers, headline):
    with pytest.raises(CommandError):
        announce(headline=headline)
    assert not Message.objects.exists()
