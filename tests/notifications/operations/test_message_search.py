"""Which messages a search finds. What it reads: tests/plans."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from notifications.models import Message, ProviderEvent
from notifications.operations import message_search
from notifications.operations.message_search import search_messages
from notifications.rules.search_terms import parse
from tests.factories import MessageFactory

pytestmark = pytest.mark.django_db


def hours_ago(hours):
    return Now() - timedelta(hours=hours)


@pytest.fixture
def made():
    """Messages by a name for each."""
    found = {
        "ada": MessageFactory(to_address="ada@example.com", kind="welcome", idempotency_key="order-1234:receipt"),
        "reset": MessageFactory(
            to_address="ada@example.com", kind="password-reset", stream="critical", created_at=hours_ago(50)
        ),
        "news": MessageFactory(
            to_address="eve@example.com", kind="product-news", stream="bulk", idempotency_key="Order-9"
        ),
        "dead": MessageFactory(
            to_address="bob@example.com", kind="welcome", status="dead", error_fingerprint="ses/x", provider="ses"
        ),
        "expired": MessageFactory(to_address="bob@example.com", kind="welcome", status="expired"),
        "uncertain": MessageFactory(to_address="cy@example.com", kind="welcome", uncertain=True),
        "bounced": MessageFactory(
            to_address="cy@example.com",
            kind="product-news",
            stream="bulk",
            status="sent",
            sent_at=Now(),
            outcome="bounced",
        ),
        "delivered": MessageFactory(
            to_address="di@example.com",
            kind="retired",
            status="sent",
            sent_at=Now(),
            outcome="delivered",
            provider="postmark",
        ),
    }
    found["bounced"].delivery_attempts.create(
        number=1, provider="ses", result="accepted", provider_message_id="0100ABC-x"
    )
    found["delivered"].delivery_attempts.create(number=1, provider="postmark", result="accepted")
    ProviderEvent.objects.create(
        provider="ses", event_id="1", kind="bounced", bounce="hard", payload={}, message=found["bounced"]
    )
    return found


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("ada@example.com", {"ada", "reset"}),
        ("ADA@ex", {"ada", "reset"}),
        ("ada@example.com kind:welcome", {"ada"}),
        ("ada@example.com since:2d", {"ada"}),
        ("ada@example.com before:2d", {"reset"}),
        ("to:bob", {"dead", "expired"}),
        ("to:bob status:dead", {"dead"}),
        ("order-1234", {"ada"}),
        ("key:order-1", {"ada"}),
        ("key:Order-", {"news"}),
        ("key:order-1 kind:product-news", set()),
        ("0100ABC-x", {"bounced"}),
        ("id:0100ABC-x", {"bounced"}),
        ("id:0100abc-x", set()),
        ("example.com", set()),
        ("status:dead", {"dead"}),
        ("status:queued", {"ada", "reset", "news"}),
        ("status:queued stream:bulk", {"news"}),
        ("status:uncertain", {"uncertain"}),
        ("status:expired since:1h", {"expired"}),
        ("status:expired before:1h", set()),
        ("status:sent", {"bounced", "delivered"}),
        ("kind:product-news", {"news", "bounced"}),
        ("kind:retired", {"delivered"}),
        ("kind:welcome status:dead", {"dead"}),
        ("stream:critical", {"reset"}),
        ("outcome:bounced", {"bounced"}),
        ("outcome:bounced before:1d", set()),
        ("outcome:delivered", {"delivered"}),
        ("outcome:complained", set()),
        ("provider:postmark", {"delivered"}),
        ("provider:none", set()),
        ("error:ses/x", {"dead"}),
        ("since:2d kind:password-reset", set()),
        ("since:3d kind:password-reset", {"reset"}),
        ("since:1990-01-01T00:00+23:59 before:8999-12-31T23:59-23:59 kind:password-reset", {"reset"}),
        ("to:ada@example.com key:order-", {"ada"}),
    ],
)
def test_search_finds(made, text, names):
    found = search_messages(parse(text))
    assert {name for name, message in made.items() if message.id in set(found.ids)} == names
    assert len(found.ids) == len(names)
    assert not found.is_cut


def test_id_of_ours_and_of_a_provider_that_looks_like_one(made):
    ours, theirs = made["ada"], made["delivered"]
    theirs.delivery_attempts.update(provider_message_id=str(ours.id))
    assert set(search_messages(parse(str(ours.id))).ids) == {ours.id, theirs.id}


def test_search_says_if_there_may_be_more(monkeypatch):
    monkeypatch.setattr(message_search, "MOST_FOUND", 3)
    for _number in range(4):
        MessageFactory(kind="welcome", status="expired")
    assert search_messages(parse("status:expired")).is_cut
    assert search_messages(parse("kind:welcome")).is_cut
    Message.objects.filter(status="expired").first().delete()
    assert not search_messages(parse("status:expired")).is_cut


def test_one_condition_read_to_its_end_is_enough(monkeypatch):
    monkeypatch.setattr(message_search, "MOST_READ", 12)
    (old,) = [MessageFactory(kind="rare", status="expired", created_at=hours_ago(9))]
    for _number in range(13):
        MessageFactory(kind="welcome", status="expired")
    found = search_messages(parse("status:expired kind:rare"))
    assert (found.ids, found.is_cut) == ([old.id], False)
    assert search_messages(parse("status:expired since:1h kind:welcome")).is_cut


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        # The newest rows of the table have as many as are shown.
        ("kind:welcome status:expired", 1),
        # The rows of one condition were all read.
        ("kind:rare stream:bulk", 2),
    ],
)
def test_search_reads_what_it_needs(monkeypatch, django_assert_num_queries, text, statements):
    monkeypatch.setattr(message_search, "MOST_READ", 4)
    monkeypatch.setattr(message_search, "MOST_FOUND", 2)
    MessageFactory(kind="rare", stream="bulk", status="expired", created_at=hours_ago(9))
    for _number in range(9):
        MessageFactory(kind="welcome", status="expired")
    with django_assert_num_queries(statements):
        search_messages(parse(text))


def test_messages_of_a_user(made):
    user = made["ada"].user
    assert search_messages(parse(""), user=user.pk).ids == [made["ada"].id]
    assert search_messages(parse("kind:welcome to:ada"), user=user.pk).ids == [made["ada"].id]
    assert search_messages(parse("status:dead"), user=user.pk).ids == []


def test_search_keeps_the_newest(monkeypatch):
    monkeypatch.setattr(message_search, "MOST_FOUND", 2)
    made = [MessageFactory(kind=kind, status="expired", created_at=hours_ago(age)) for age, kind in enumerate("abc")]
    found = search_messages(parse(""), user=made[0].user_id)
    assert found.ids == [made[0].id]
    found = search_messages(parse("status:expired"))
    assert (set(found.ids), found.is_cut) == ({made[0].id, made[1].id}, True)
