"""Messages with stored content, and with defaults of their kinds, are handed over with all of it."""

from dataclasses import replace

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.emails import PRODUCT_NEWS
from notifications import Attachment, Draft, enqueue, kinds
from notifications.backend import OutboxBackend
from notifications.delivery.guarding import ORIGINAL_TO
from notifications.delivery.preview import Likeness, Missing, NoPreviewError, render_again
from notifications.events import suppress
from notifications.models import DeliveryAttempt, Message, MessageContent
from notifications.rules.addresses import NamedAddress
from notifications.rules.guard import LEFT_OUT, REDIRECTED
from notifications.rules.states import Status, Stream
from notifications.rules.suppression import Reason
from tests.factories import UserFactory
from tests.notifications.delivery import test_costs
from tests.notifications.delivery.delivering import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

BOB, CARLA, DORA = (NamedAddress(f"{name}@example.com") for name in ("bob", "carla", "dora"))
FILE = Attachment("invoice.pdf", b"%PDF")
NEWS = {"headline": "News", "paragraphs": ["Text"]}


def written(**changes):
    user = UserFactory(email="ada@example.com") if "to" in changes else UserFactory()
    return enqueue(Draft(**{"kind": "product-news", "to": user.email, "user": user, "context": NEWS} | changes))


def delivered(*messages):
    run(*messages, stream=Stream.BULK)


@pytest.fixture
def declared(monkeypatch):
    """Replace the kind of these messages by one with other defaults."""
    monkeypatch.setattr(kinds, "KINDS", dict(kinds.KINDS))

    def declare(**changes):
        kinds.KINDS["product-news"] = replace(PRODUCT_NEWS, **changes)
        return kinds.KINDS["product-news"]

    return declare


def test_everything_is_handed_over(provider):
    delivered(
        written(
            to=["Ada L. <Ada@example.com>", BOB.address],
            cc=CARLA.address,
            bcc=DORA.address,
            reply_to="support@example.com",
            from_email="orders@example.com",
            headers={"X-Order": "4711", "auto-submitted": "no"},
            tags=["invoice"],
            attachments=[FILE],
        )
    )
    (email,) = provider.taken
    assert (email.to_address, email.to_name, email.from_email) == ("ada@example.com", "Ada L.", "orders@example.com")
    assert (email.more_to, email.cc, email.bcc) == ((BOB,), (CARLA,), (DORA,))
    assert (email.reply_to, email.tags) == ((NamedAddress("support@example.com"),), ("invoice",))
    assert email.attachments == (FILE,)
    assert (email.headers["X-Order"], email.headers["auto-submitted"]) == ("4711", "no")
    assert "Auto-Submitted" not in email.headers
    assert "Message-ID" in email.headers
    assert email.html


def test_kind_has_the_defaults_and_the_draft_the_last_word(provider, declared):
    declared(
        reply_to="news@example.com",
        from_email="News <news@example.com>",
        headers={"X-A": "kind", "X-B": "kind"},
        tags=["news"],
        attachments=lambda user, context: [Attachment("made.txt", f"{user.email} {context['headline']}".encode())],
    )
    plain = written()
    delivered(plain)
    delivered(written(reply_to="x@example.com", headers={"x-b": "draft"}, tags=["other"], attachments=[FILE]))
    first, second = provider.taken
    assert (first.from_email, first.tags) == ("News <news@example.com>", ["news"])
    assert (first.reply_to, first.headers["X-B"]) == ((NamedAddress("news@example.com"),), "kind")
    assert [file.content for file in first.attachments] == [f"{plain.to_address} News".encode()]
    assert (second.reply_to, second.tags) == ((NamedAddress("x@example.com"),), ("other",))
    assert (second.headers["X-A"], second.headers["x-b"]) == ("kind", "draft")
    assert [file.name for file in second.attachments] == ["made.txt", "invoice.pdf"]
    # What a kind makes is stored nowhere.
    assert MessageContent.objects.count() == 1


def test_kind_may_yield_its_files(provider, declared):
    def made(user, context):
        yield FILE

    declared(attachments=made)
    delivered(written())
    assert provider.taken[0].attachments == (FILE,)


def failing(user, context):
    raise LookupError


def too_large(user, context):
    return [Attachment("a", b"x" * 8_000_000)]


@pytest.mark.parametrize("files", [failing, too_large, lambda user, context: ["a.txt"]])
def test_files_that_cannot_be_made_stop_their_message_only(provider, declared, files):
    declared(attachments=files)
    broken, other = written(), written(kind="provider-test", context={"sender": "x", "sent_from": "y"})
    delivered(broken, other)
    assert [email.message_id for email in provider.taken] == [other.id]
    assert Message.objects.get(id=broken.id).status != Status.SENT


def test_preview_of_a_django_email_shows_its_text_until_it_is_deleted():
    mail.send_mail("Subject", "Text", None, ["ada@example.com"], html_message="<p>Text</p>", connection=OutboxBackend())
    shown = render_again(Message.objects.get())
    assert (shown.content.html, shown.likeness) == ("<p>Text</p>", Likeness.NOT_SENT)
    MessageContent.objects.update(packed=None)
    with pytest.raises(NoPreviewError) as caught:
        render_again(Message.objects.get())
    assert caught.value.reason is Missing.PURGED


def left_out():
    return MessageContent.objects.get().left_out


def test_suppressed_further_recipients_are_left_out(provider):
    message = written(to=["ada@example.com", BOB.address], cc=["Carla@example.com"], bcc=[DORA.address])
    suppress.suppress(BOB.address, Reason.HARD_BOUNCE, "")
    suppress.suppress(CARLA.address, Reason.COMPLAINT, "")
    delivered(message)
    (email,) = provider.taken
    assert (email.more_to, email.cc, email.bcc) == ((), (), (DORA,))
    assert sorted(left_out()) == [BOB.address, CARLA.address]


@pytest.mark.parametrize(("kind", "expected"), [("product-news", 0), ("provider-test", 1)])
def test_unsubscribed_further_recipient_is_left_out_of_bulk_only(provider, kind, expected):
    message = written(kind=kind, cc=BOB.address, context={**NEWS, "sender": "x", "sent_from": "y"})
    suppress.suppress(BOB.address, Reason.UNSUBSCRIBED, "")
    delivered(message)
    assert len(provider.taken[0].cc) == expected


@pytest.mark.parametrize("redirect_to", ["", "staging@example.org"])
def test_staging_guard_holds_for_further_recipients(provider, settings, redirect_to):
    settings.ONLY_TO, settings.REDIRECT_TO = ["ada@example.com", CARLA.address], redirect_to
    delivered(written(to=["ada@example.com", BOB.address], cc=[CARLA.address], bcc=[DORA.address]))
    (email,) = provider.taken
    copy = [NamedAddress(redirect_to)] if redirect_to else []
    assert (email.to_address, email.more_to, email.cc, email.bcc) == ("ada@example.com", [], [CARLA, *copy], [])
    assert email.headers.get(ORIGINAL_TO) == (BOB.address if redirect_to else None)
    note = DeliveryAttempt.objects.get().error
    assert note == (REDIRECTED.format(address=redirect_to) if redirect_to else LEFT_OUT)


def test_redirected_first_recipient_is_named_with_the_others(provider, settings):
    settings.ONLY_TO, settings.REDIRECT_TO = [CARLA.address], "staging@example.org"
    delivered(written(to=["ada@example.com", BOB.address], cc=[CARLA.address]))
    (email,) = provider.taken
    assert (email.to_address, email.more_to, email.cc) == ("staging@example.org", [], [CARLA])
    assert email.headers[ORIGINAL_TO] == f"ada@example.com, {BOB.address}"


@pytest.mark.parametrize("before", [True, False])
def test_first_recipient_decides_whether_the_message_is_suppressed(provider, before):
    if before:
        suppress.suppress("ada@example.com", Reason.HARD_BOUNCE, "")
    message = written(to=["ada@example.com", BOB.address])
    suppress.suppress("ada@example.com", Reason.HARD_BOUNCE, "")
    delivered(message)
    assert provider.taken == []
    assert Message.objects.get().status == Status.SUPPRESSED


@pytest.mark.parametrize("changes", [{"packed": None}, {"packed": b"no zlib"}])
def test_unreadable_content_is_never_left_away(provider, changes):
    broken, other = written(cc=BOB.address), written(cc=CARLA.address)
    MessageContent.objects.filter(message=broken.id).update(**changes)
    delivered(broken, other)
    assert [email.cc for email in provider.taken] == [(CARLA,)]
    assert Message.objects.get(id=broken.id).status != Status.SENT


def test_messages_with_content_never_join_a_batch(batching):
    plain = [written() for _ in range(3)]
    delivered(*plain, written(attachments=[FILE]), written(cc=BOB.address))
    assert batching.batches == [3]
    assert len(batching.taken) == 5


def test_kind_with_files_never_joins_a_batch_and_one_with_other_defaults_does(batching, declared):
    declared(reply_to="news@example.com", from_email="news@example.com", headers={"X-A": "1"}, tags=["news"])
    delivered(*[written() for _ in range(3)])
    assert batching.batches == [3]
    for email in batching.taken:
        assert (email.reply_to, email.from_email) == ((NamedAddress("news@example.com"),), "news@example.com")
        assert (email.headers["X-A"], email.tags) == ("1", ["news"])
    declared(attachments=lambda user, context: [FILE])
    delivered(*[written() for _ in range(3)])
    assert batching.batches == [3]


@pytest.mark.usefixtures("reporting")
def test_only_a_group_with_content_costs_another_statement(provider, monkeypatch):
    monkeypatch.setattr(test_costs.permits, "CACHE_S", 3600.0)
    kind = {"kind": "provider-test", "context": {"sender": "x", "sent_from": "y"}, "user": None}

    def cost(*messages):
        with CaptureQueriesContext(connection) as statements:
            run(*messages, stream=Stream.CRITICAL)
        return len(statements)

    cost(written(**kind))
    plain = cost(written(**kind))
    assert plain == test_costs.STATEMENTS
    assert cost(written(**kind, cc=BOB.address)) == plain + 1
