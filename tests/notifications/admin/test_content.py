"""The page of a message shows what it has beyond one recipient."""

import pytest
from django.urls import reverse

from notifications import Attachment, Draft, enqueue
from notifications.admin.proposals import propose
from notifications.admin.verdicts import Verb, Verdict
from notifications.models import Message, MessageContent
from notifications.rules.states import Status
from tests.factories import MessageFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


@pytest.fixture
def message():
    user = UserFactory()
    return enqueue(
        Draft(
            kind="product-news",
            to=user.email,
            user=user,
            context={"headline": "News", "paragraphs": []},
            cc=['"Bob <b>" <bob@example.com>'],
            bcc=["dora@example.com"],
            reply_to="support@example.com",
            headers={"X-Order": "4711"},
            tags=["invoice"],
            attachments=[Attachment("invoice.pdf", b"x" * 2048)],
        )
    )


def page_of(message, client):
    return client.get(reverse("admin:notifications_message_change", args=[message.id])).content.decode()


def test_page_shows_recipients_headers_and_names_of_files(message, admin_client):
    MessageContent.objects.update(left_out=["bob@example.com"])
    page = page_of(message, admin_client)
    for shown in ("bob@example.com", "Bob &lt;b&gt;", "dora@example.com", "support@example.com", "X-Order", "4711"):
        assert shown in page
    assert "invoice.pdf (application/pdf, 2.0\xa0KB)" in page


def test_page_of_an_ordinary_message_has_no_such_part(admin_client):
    assert "field-further_recipients" not in page_of(MessageFactory(), admin_client)


def test_page_says_that_the_content_was_deleted(message, admin_client):
    Message.objects.update(status=Status.CANCELLED)
    MessageContent.objects.update(packed=None, further=[])
    page = page_of(message, admin_client)
    assert "field-further_recipients" in page
    assert "bob@example.com" not in page
    (proposal,) = propose([message.id])
    assert (proposal.verb, proposal.verdict) == (Verb.NONE, Verdict.CONTENT_DELETED)
