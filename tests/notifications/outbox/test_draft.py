"""A draft is checked completely before anything is written."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy

from accounts.models import User
from notifications import Attachment, BadAddressError, BadContentError, BadContextError, Draft, enqueue, kinds
from notifications.models import Message, MessageContent
from notifications.rules.addresses import NamedAddress
from notifications.rules.content import unpacked
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

BOB, CARLA = "bob@example.com", "carla@example.com"


def draft(**changes):
    user = UserFactory()
    return Draft(**{"kind": "product-news", "to": user.email, "user": user, "context": {"headline": "News"}} | changes)


def stored(message):
    return unpacked(bytes(MessageContent.objects.get(message=message.id).packed))


def test_everything_of_a_draft_is_stored_beside_the_message():
    pdf = Attachment("invoice.pdf", b"%PDF")
    message = enqueue(
        draft(
            to=["Ada L. <Ada@example.com>", BOB],
            cc="Carla <carla@example.com>",
            bcc=["dora@example.com", BOB.upper()],
            reply_to="Support <support@example.com>",
            from_email="Shop <orders@example.com>",
            headers={"X-Order": "4711"},
            tags=["invoice", "invoice", "2026"],
            attachments=[pdf],
        )
    )
    content = stored(message)
    assert (message.to_address, message.has_content, content.to_name) == ("ada@example.com", True, "Ada L.")
    assert (content.to, content.cc) == ((NamedAddress(BOB),), (NamedAddress(CARLA, "Carla"),))
    # Each recipient once, at the first place.
    assert content.bcc == (NamedAddress("dora@example.com"),)
    assert content.reply_to == (NamedAddress("support@example.com", "Support"),)
    assert (content.from_email, content.headers) == ("Shop <orders@example.com>", {"X-Order": "4711"})
    assert (content.tags, content.attachments) == (("invoice", "2026"), (pdf,))
    assert MessageContent.objects.get().further == [BOB, CARLA, "dora@example.com"]


def test_iterators_lose_nothing():
    file = Attachment("a.txt", b"a")
    message = enqueue(
        draft(to=iter(["ada@example.com", BOB]), cc=iter([CARLA]), tags=iter(["invoice"]), attachments=iter([file]))
    )
    content = stored(message)
    assert (message.to_address, content.to, content.cc) == ("ada@example.com", ((BOB, ""),), ((CARLA, ""),))
    assert (content.tags, content.attachments) == (("invoice",), (file,))


@pytest.mark.parametrize("to", ["ada@example.com", ["ada@example.com"], ("ada@example.com",)])
def test_draft_with_one_address_stores_nothing_more(to):
    message = enqueue(draft(to=to))
    assert (message.has_content, message.send_at, MessageContent.objects.count()) == (False, None, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"to": []},
        # What a user typed into a form has no name.
        {"to": "Ada <ada@example.com>"},
        {"to": "a@example.com, b@example.com"},
        {"to": ["a@example.com, b@example.com"]},
        {"to": [None]},
        {"cc": "bob"},
        {"cc": ["Bob\r\nBcc: eve@example.com <bob@example.com>"]},
        {"bcc": ["a@example.com", ""]},
        {"reply_to": "x@localhost"},
    ],
)
def test_bad_address_writes_nothing(changes):
    with pytest.raises(BadAddressError) as caught:
        enqueue(draft(**changes))
    assert "example" not in str(caught.value)
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"from_email": "a@example.com, b@example.com"},
        {"from_email": "Shop"},
        {"headers": {"Subject": "x"}},
        {"headers": {"message-id": "<1@example.com>"}},
        {"headers": {"Reply-To": "x@example.com"}},
        {"headers": {"Bcc": "eve@example.com"}},
        {"headers": {"Content-Type": "text/html"}},
        {"headers": {"X-Test": "x\r\nBcc: eve@example.com"}},
        {"headers": {"X-Test\r\nBcc": "eve@example.com"}},
        {"headers": {"X-Ünïcode": "x"}},
        {"headers": {"X-Test": 4711}},
        {"headers": {"X-Test": "1", "x-test": "2"}},
        {"headers": {"X-Test": "half a character: \ud83c"}},
        {"tags": "invoice"},
        {"tags": ["a,b"]},
        {"tags": ["grün"]},
        {"tags": [str(number) for number in range(11)]},
        {"attachments": [("a.txt", b"", "text/plain")]},
        {"attachments": [Attachment("a.txt", "text")]},  # type: ignore[arg-type]
        {"attachments": [Attachment("a\r\nX-Test: 1", b"")]},
        {"attachments": [Attachment("a", b"", "text")]},
        {"attachments": [Attachment("a", b"", "image/png", "a>b")]},
        {"cc": [f"cc{number}@example.com" for number in range(50)]},
        {"send_at": datetime(2030, 1, 1)},  # noqa: DTZ001 - that is the error
        {"send_at": date(2030, 1, 1)},
        {"send_at": datetime.max.replace(tzinfo=UTC)},
        {"send_at": datetime.min.replace(tzinfo=UTC)},
        {"headers": [("X-Test", "1")]},
        {"tags": 4711},
        {"attachments": Attachment("a.txt", b"")},
        {"key": 4711},
        {"key": "k" * 501},
        {"key": "NUL: \x00"},
        {"key": "half a character: \ud83c"},
        {"from_email": gettext_lazy("Shop")},
        {"attachments": [Attachment(Path("a.txt"), b"")]},  # type: ignore[arg-type]
        {"attachments": [Attachment(None, b"")]},  # type: ignore[arg-type]
        {"client": None},
        {"kind": "welcome", "context": {}, "cc": BOB},
        {"kind": "welcome", "context": {}, "send_at": datetime(2030, 1, 1, tzinfo=UTC)},
    ],
)
def test_bad_content_writes_nothing(changes):
    with pytest.raises(BadContentError) as caught:
        enqueue(draft(**changes))
    assert "eve" not in str(caught.value)
    assert not Message.objects.exists()


@pytest.mark.parametrize("context", [None, ["headline"], "headline", [("headline", "News")]])
def test_context_that_is_no_mapping_writes_nothing(context):
    with pytest.raises(BadContextError):
        enqueue(draft(context=context))
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "make", [lambda: User(email="ada@example.com"), AnonymousUser, lambda: SimpleLazyObject(AnonymousUser), lambda: 7]
)
def test_account_that_is_not_saved_writes_nothing(make):
    # Written without its account, the message would never be sent.
    with pytest.raises(BadContentError):
        enqueue(draft(user=make(), to="ada@example.com"))
    assert not Message.objects.exists()


def test_account_may_be_that_of_a_request():
    user = UserFactory()
    assert enqueue(draft(user=SimpleLazyObject(lambda: user))).user_id == user.pk


def test_content_that_is_too_large_writes_nothing(settings):
    settings.EMAIL_MAX_BYTES = 10
    enqueue(draft(attachments=[Attachment("a", b"x" * 10)]))
    with pytest.raises(BadContentError, match="EMAIL_MAX_BYTES"):
        enqueue(draft(attachments=[Attachment("a", b"x" * 11)]))
    assert Message.objects.count() == 1


def test_welcome_has_secrets_and_is_slowed():
    # The table above relies on it.
    assert kinds.get("welcome").secrets
    assert kinds.get("welcome").is_slowed


def test_recipients_need_no_account():
    message = enqueue(draft(kind="provider-test", user=None, to=["x@example.com", BOB], context={}))
    assert (message.user_id, message.to_address) == (None, "x@example.com")


def test_scheduled_message_waits_and_expires_later():
    at = datetime.now(UTC) + timedelta(days=40)
    message = enqueue(draft(send_at=at))
    row = Message.objects.get()
    assert (row.send_at, row.due_at, row.relay_after) == (at, at, at)
    assert row.expires_at == at + kinds.get("product-news").max_age
    for name in ("send_at", "due_at", "relay_after", "expires_at"):
        assert getattr(message, name) == getattr(row, name)


def test_message_scheduled_for_the_past_is_due_now():
    enqueue(draft(send_at=datetime.now(UTC) - timedelta(days=40)))
    row = Message.objects.get()
    assert row.due_at == row.created_at
    assert row.expires_at == row.created_at + kinds.get("product-news").max_age
