"""What operators see of the whole, from real rows and a real broker."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now
from django.test import override_settings
from django.urls import reverse

from accounts.models import User
from notifications.models import DeliveryAttempt, ProcessHeartbeat
from notifications.models.heartbeat import beat, goodbye
from notifications.operations.problems import problems
from notifications.operations.status import Circuit, Dead, Lane, Process, Status, collect
from notifications.redis_client import client
from notifications.states import Status as MessageStatus
from notifications.states import Stream
from tests.factories import MessageFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
ALIVE = [Process(name=f"{name}@here", silent_s=2, trouble="") for name in ("beat", "main", "relay")]


def status(**changes):
    well = {
        "processes": ALIVE,
        "lanes": [Lane(stream=stream, due=0, later=0, oldest_s=0, published=0) for stream in Stream],
        "circuits": [Circuit(provider="ses", state="closed"), Circuit(provider="sendgrid", state="closed")],
        "sending": 0,
        "uncertain": 0,
        "held": 0,
        "dead": [],
        "sent_per_minute": {},
        "broker_is_away": False,
    }
    return Status(**(well | changes))


def silent(name):
    return Process(name=name, silent_s=40, trouble="")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"broker_is_away": True}, ["Redis does not answer"]),
        ({"processes": []}, ["No relay is running", "No beat is running", "No worker is running"]),
        ({"processes": ALIVE[:2]}, ["No relay is running"]),
        ({"processes": [*ALIVE, silent("bulk@here")]}, ["bulk@here has been silent for 40 s"]),
        ({"processes": [*ALIVE[::2], silent("main@there")]}, ["No worker is running", "main@there has been silent"]),
        ({"processes": [*ALIVE, Process(name="bulk@here", silent_s=1, trouble="tired")]}, ["bulk@here: tired"]),
        ({"circuits": [Circuit(provider="ses", state="open", reason="http-503")]}, ["ses takes no", "No provider"]),
        (
            {"circuits": [Circuit(provider="ses", state="open"), Circuit(provider="smtp", state="closed")]},
            ["ses takes no mail"],
        ),
        (
            {"lanes": [Lane(stream=Stream.CRITICAL, due=1, later=0, oldest_s=31, published=0)]},
            ["Critical mail has been due for 31 s"],
        ),
        ({"lanes": [Lane(stream=Stream.BULK, due=9, later=0, oldest_s=600, published=0)]}, []),
        ({"dead": [Dead(fingerprint="ses/x", count=10, within_the_hour=10)]}, ["10 messages died within the hour"]),
        ({"dead": [Dead(fingerprint="ses/x", count=900, within_the_hour=9)]}, []),
    ],
)
def test_problems(changes, expected):
    found = problems(status(**changes))
    assert len(found) == len(expected)
    for sentence, beginning in zip(found, expected, strict=True):
        assert sentence.startswith(beginning)


def test_what_is_there_is_counted(settings):
    settings.EMAIL_PROVIDERS = ["scripted"]
    MessageFactory(due_at=Now() - timedelta(seconds=50))
    MessageFactory(due_at=Now() + timedelta(seconds=50))
    MessageFactory(sending=True)
    MessageFactory(uncertain=True)
    MessageFactory(uncertain=True, settle_at=None)
    MessageFactory(status=MessageStatus.DEAD, error_fingerprint="ses/x")
    sent = MessageFactory(status=MessageStatus.SENT, sent_at=Now())
    DeliveryAttempt.objects.create(message=sent, number=1, provider="scripted", result="accepted")
    beat("main@here", "tired")
    client().lpush("default", "task")
    found = collect([])
    lane = next(lane for lane in found.lanes if lane.stream is Stream.DEFAULT)
    assert (lane.due, lane.later, lane.published, lane.oldest_s >= 50) == (1, 1, 1, True)
    assert (found.sending, found.uncertain, found.held) == (1, 1, 1)
    assert found.dead == [Dead(fingerprint="ses/x", count=1, within_the_hour=1)]
    assert found.sent_per_minute == {"scripted": 1}
    assert [(process.name, process.trouble) for process in found.processes] == [("main@here", "tired")]


def test_counts_do_not_read_a_large_table():
    """Sent messages are the bulk of the table; nothing here may read them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO notifications_message (id, kind, stream, to_address, context, idempotency_key, status,"
            " sent_at, status_reason, provider, resent_uncertain, attempts, relayed)"
            " SELECT gen_random_uuid(), 'welcome', 'default', 'a@example.com', '{}', n::text, 'sent', now(),"
            " '', '', false, 1, 0 FROM generate_series(1, 20000) AS n"
        )
        cursor.execute("ANALYZE notifications_message")
        cursor.execute("SELECT pg_stat_force_next_flush()")
        before = _pages_read(cursor)
        collect([])
        assert _pages_read(cursor) - before < 100
        cursor.execute("SELECT pg_relation_size('notifications_message') / 8192")
        assert cursor.fetchone()[0] > 300


def _pages_read(cursor):
    cursor.execute(
        "SELECT pg_stat_get_xact_blocks_fetched('notifications_message'::regclass)"
        " + coalesce(sum(pg_stat_get_xact_blocks_fetched(indexrelid)), 0)::bigint"
        " FROM pg_index WHERE indrelid = 'notifications_message'::regclass"
    )
    return cursor.fetchone()[0]


def test_broker_that_is_away_is_a_part_of_the_answer():
    client.cache_clear()
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
        found = collect([])
    client.cache_clear()
    assert found.broker_is_away
    assert [lane.published for lane in found.lanes] == [None, None, None]


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator@example.com", "a long password"))
    return client


def test_page_shows_everything_and_renews_itself(operator, client):
    beat("relay@here")
    MessageFactory(status=MessageStatus.DEAD, error_fingerprint="ses/MessageRejected")
    page = operator.get(reverse("status")).content.decode()
    assert '<meta http-equiv="refresh" content="5">' in page
    for text in ("relay@here", "ses/MessageRejected", "No worker is running", "critical"):
        assert text in page


def test_page_asks_a_constant_number_of_questions(operator, django_assert_max_num_queries):
    for number in range(30):
        beat(f"main@{number}")
        MessageFactory(status=MessageStatus.DEAD, error_fingerprint=f"ses/{number}")
    with django_assert_max_num_queries(14):
        operator.get(reverse("status"))


def test_page_is_linked_from_every_page_of_the_admin(operator):
    assert reverse("status") in operator.get(reverse("admin:index")).content.decode()


def test_page_is_for_staff_who_may_see_messages(client):
    assert client.get(reverse("status")).status_code == 302
    client.force_login(User.objects.create_user("staff@example.com", "a long password", is_staff=True))
    assert client.get(reverse("status")).status_code == 403


def test_page_is_only_read(operator):
    assert operator.post(reverse("status")).status_code == 405


def test_command_says_it_in_text_and_ends_with_an_error():
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("status", stdout=out)
    assert ended.value.code == 1
    assert "3 problems:\n  No relay is running: start one." in out.getvalue()


def test_command_is_content_when_all_is_well():
    for name in ("relay@here", "beat@here", "main@here"):
        beat(name)
    out = io.StringIO()
    call_command("status", stdout=out)
    assert out.getvalue().startswith("All is well.")


def test_command_speaks_json():
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("status", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert told["lanes"][0] == {"stream": "critical", "due": 0, "later": 0, "oldest_s": 0.0, "published": 0}
    assert len(told["problems"]) == 3


def test_heartbeat_of_a_process_that_ended_in_order_is_forgotten_and_old_ones_too():
    beat("main@here")
    beat("old@there")
    ProcessHeartbeat.objects.filter(name="old@there").update(beat_at=Now() - timedelta(hours=2))
    beat("relay@here")
    goodbye("main@here")
    assert list(ProcessHeartbeat.objects.values_list("name", flat=True)) == ["relay@here"]
