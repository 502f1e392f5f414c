"""What a test finds in the outbox, and how an assertion fails."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from notifications import Draft, enqueue
from notifications.models import Message
from notifications.rules.addresses import NamedAddress
from notifications.rules.content import Attachment, Content
from notifications.rules.states import Status, Stream
from notifications.testing import Enqueued, assert_enqueued, assert_not_enqueued, outbox
from notifications.testing.enqueued import assert_among, differences

EMAIL = {"subject": "Shipped", "body": "Text", "alternatives": []}
ONE = Enqueued(
    kind="order-shipped",
    to=["ada@example.com", "grace@example.com"],
    user=None,
    key="order-shipped:4711",
    context={"number": 4711, "price": "9.90"},
    stream=Stream.DEFAULT,
    status=Status.QUEUED,
    content=Content(cc=(NamedAddress("Bob@example.com", "Bob"),), email=EMAIL),
    message=Message(),
)


@pytest.mark.parametrize(
    ("wanted", "differing"),
    [
        ({}, []),
        ({"to": "ada@example.com"}, []),
        ({"to": "Grace@Example.com"}, []),
        ({"to": ["ada@example.com", "grace@example.com"]}, []),
        ({"to": ["ada@example.com"]}, ["to"]),
        ({"to": "bob@example.com"}, ["to"]),
        ({"key": "order-shipped:4711", "stream": "default"}, []),
        ({"key": "order-shipped:4712", "stream": Stream.BULK}, ["key", "stream"]),
        ({"context": {"number": 4711}}, []),
        ({"context": {"price": Decimal("9.90")}}, []),
        ({"context": {"number": 4712}}, ["context"]),
        ({"context": {"missing": None}}, ["context"]),
        ({"user": None, "subject": "Shipped", "bcc": [], "send_at": None}, []),
        ({"cc": "bob@example.com"}, []),
        ({"cc": ["eve@example.com"], "reply_to": "eve@example.com", "subject": ""}, ["cc", "reply_to", "subject"]),
    ],
)
def test_what_is_wanted_is_compared(wanted, differing):
    assert differences(ONE, "order-shipped", wanted) == differing
    assert differences(ONE, "welcome", wanted) == ["kind", *differing]


def test_failure_shows_what_was_enqueued_instead():
    with pytest.raises(AssertionError) as failed:
        assert_among([ONE], "order-shipped", to="bob@example.com")
    for part in ("'bob@example.com'", "ada@example.com", "order-shipped:4711", "4711", "[differs: to]"):
        assert part in str(failed.value)


@pytest.mark.parametrize("count", [0, 2])
def test_count_is_exact(count):
    with pytest.raises(AssertionError):
        assert_among([ONE], "order-shipped", count=count)
    assert assert_among([ONE], "order-shipped", count=1) == [ONE]


def test_misspelt_criterion_is_an_error():
    with pytest.raises(TypeError, match="too"):
        assert_among([ONE], "order-shipped", too="ada@example.com")


@pytest.mark.django_db
def test_functions_work_without_a_mailroom(user):
    assert_not_enqueued("provider-test")
    context = {"sender": "Grace", "sent_from": "here"}
    enqueue(Draft(kind="provider-test", to="Bob@Example.com", key="test:1", context=context))
    (found,) = assert_enqueued("provider-test", to="bob@example.com", context={"sender": "Grace"}, count=1)
    assert outbox() == [found]
    assert repr(found).startswith("provider-test to bob@example.com (key='test:1', stream='critical', context=")
    assert_not_enqueued("provider-test", user=user)
    with pytest.raises(AssertionError):
        assert_not_enqueued("provider-test")


@pytest.mark.django_db
def test_content_of_a_draft_is_shown():
    tomorrow = timezone.now() + timedelta(days=1)
    enqueue(
        Draft(
            kind="provider-test",
            to=["Ada <ada@example.com>", "grace@example.com"],
            cc=["Bob <Bob@example.com>"],
            reply_to="help@example.com",
            attachments=[Attachment("order.pdf", b"%PDF")],
            context={"sender": "Grace", "sent_from": "here"},
            send_at=tomorrow,
        )
    )
    (found,) = assert_enqueued("provider-test", to="grace@example.com", cc="bob@example.com", send_at=tomorrow)
    assert found.to == ["ada@example.com", "grace@example.com"]
    assert found.reply_to == ["help@example.com"]
    assert [(file.name, file.content) for file in found.attachments] == [("order.pdf", b"%PDF")]
    assert "order.pdf" in repr(found)
