"""Stream, key and time: how an author chooses them, and what the same key means."""

from datetime import UTC, date, datetime, timedelta
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest
from anymail.message import AnymailMessage
from django.core.mail import get_connection
from django.utils.timezone import get_default_timezone

from notifications import links
from notifications.models import Message, Suppression
from notifications.outbox.content import KeyConflictError
from notifications.providers.base.compose import compose
from notifications.providers.base.given import BadContentError
from notifications.rules.states import Stream
from notifications.rules.suppression import Reason
from tests.notifications.backend.written import email, headers
from tests.notifications.delivery.delivering import run
from tests.notifications.providers.base.test_email_message import Signed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey", "outbox")]

UNSUBSCRIBE, ONE_CLICK = "List-Unsubscribe", "List-Unsubscribe-Post"
LATER = datetime.now(UTC) + timedelta(days=1)


def test_headers_choose_stream_key_and_time_and_are_not_sent(provider):
    given = headers(Stream="bulk", KEY="invoice:1", Send_At=LATER.isoformat())
    sent = email(headers=given | {"X-Order": "1"})
    sent.send()
    message = Message.objects.get()
    assert (message.stream, message.idempotency_key, message.send_at) == (Stream.BULK, "invoice:1", LATER)
    assert message.due_at >= LATER
    assert message.content is None
    Message.objects.update(due_at=datetime.now(UTC), send_at=None)
    run(message, stream=Stream.BULK)
    assert dict(provider.taken[0].email["headers"]) == {"X-Order": "1"}
    assert set(sent.extra_headers) == {*given, "X-Order"}


@pytest.mark.parametrize(
    ("stream", "more", "expected"),
    [
        ("default", {}, {}),
        ("bulk", {}, {UNSUBSCRIBE: "<{url}>", ONE_CLICK: links.ONE_CLICK}),
        # Without one click, the author has not promised it.
        (
            "bulk",
            {"headers": {UNSUBSCRIBE.lower(): "<mailto:x@y.example>"}},
            {UNSUBSCRIBE.lower(): "<mailto:x@y.example>"},
        ),
        # One recipient could unsubscribe the other.
        ("bulk", {"cc": ["bob@example.com"]}, {}),
    ],
)
def test_bulk_alone_has_headers_to_unsubscribe_unless_its_author_wrote_them(settings, provider, stream, more, expected):
    settings.SITE_URL = "https://mail.example.com"
    changes = {**more, "headers": headers(Stream=stream) | more.get("headers", {})}
    email(**changes).send()
    run(Message.objects.get(), stream=Stream(stream))
    sent = compose(provider.taken[0])
    url = links.unsubscribe_url("ada@example.com")
    found = {name: value for name, value in sent.extra_headers.items() if name.lower().startswith("list-")}
    assert found == {name: value.format(url=url) for name, value in expected.items()}


def test_keywords_of_the_connection_apply_unless_the_email_says_otherwise():
    critical = get_connection(stream="critical", send_at=LATER)
    critical.send_messages([email(), email(headers=headers(stream="bulk"))])
    assert {*Message.objects.values_list("stream", "send_at")} == {("critical", LATER), ("bulk", LATER)}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (LATER, LATER),
        pytest.param(LATER.timestamp(), LATER, id="timestamp"),
        (datetime(2040, 1, 2, 3), datetime(2040, 1, 2, 3, tzinfo=get_default_timezone())),  # noqa: DTZ001
        (date(2040, 1, 2), datetime(2040, 1, 2, tzinfo=get_default_timezone())),
        (None, None),
    ],
)
def test_attribute_of_anymail_is_the_time(given, expected):
    scheduled = email()
    scheduled.send_at = given
    scheduled.send()
    assert Message.objects.get().send_at == expected


@pytest.mark.parametrize("given", ["tomorrow", 1e30, datetime.max.replace(tzinfo=UTC)])
def test_other_times_of_anymail_are_an_error(given):
    scheduled = email()
    scheduled.send_at = given
    with pytest.raises(BadContentError):
        scheduled.send()


def test_message_class_of_anymail_is_queued():
    assert AnymailMessage("Hi", "Text", "shop@example.com", ["ada@example.com"]).send() == 1
    assert Message.objects.get().send_at is None


def test_same_key_is_one_message_and_other_content_an_error():
    first = email(headers=headers(key="k"))
    assert first.send() == 1
    assert first.send() == 1
    with pytest.raises(KeyConflictError):
        get_connection().send_messages([email(), email(body="Other", headers=headers(key="k"))])
    with pytest.raises(KeyConflictError):
        email(body="Other", headers=headers(key="k")).send()
    assert Message.objects.count() == 1


def related():
    part = MIMEMultipart("related")
    part.attach(MIMEText("Text"))
    return part


@pytest.mark.parametrize(
    "made",
    [
        lambda: email(parts=[related()]),
        lambda: email(attachments=[("old.eml", email(attachments=[("a.txt", "Text")]), "message/rfc822")]),
        lambda: email(cls=Signed),
    ],
)
def test_email_that_is_made_again_has_the_same_content(made):
    for _ in range(2):
        again = made()
        again.extra_headers = headers(key="k")
        # Chooses its boundaries.
        again.message().as_bytes()
        assert again.send() == 1
    assert Message.objects.count() == 1


def test_suppression_in_between_is_no_other_content():
    def send():
        email(to=["ada@example.com"], cc=["Bob <bob@example.com>"], headers=headers(key="k")).send()

    send()
    Suppression.objects.create(address="ada@example.com", reason=Reason.HARD_BOUNCE)
    send()
    assert Message.objects.count() == 1
