"""The planner chooses the index that was made for a statement, and not another that also serves it."""

import json
import re

import pytest
from django.db import connection
from django.db.models import Exists, OuterRef
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from notifications.models import Message, ProviderEvent
from notifications.operations import retention

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("large_tables")]

EVENTS = ProviderEvent._meta.db_table
BY_MESSAGE = "event_message_idx"


def indexes(sql, *values):
    """Return the indexes of events that a statement reads."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", values)
        ((plan,),) = cursor.fetchall()
    text = json.dumps(plan)
    return set(re.findall(r'"Index Name": "([^"]*event[^"]*)"', text))


def indexes_of(queryset):
    sql, values = queryset.query.sql_with_params()
    return indexes(sql, *values)


def some_ids(count):
    return list(Message.objects.values_list("id", flat=True)[:count])


def test_search_finds_foreign_events_by_their_index():
    operator = Client()
    operator.force_login(User.objects.create_superuser("operator@example.com", "a long password"))
    with CaptureQueriesContext(connection) as captured:
        operator.get(reverse("admin:notifications_providerevent_changelist"), {"q": "member"})
    foreign = [each["sql"] for each in captured if f'"{EVENTS}"."message_id" IS NULL' in each["sql"]]
    assert set.union(*(indexes(sql.replace("%", "%%")) for sql in foreign)) == {
        "event_foreign_to_idx",
        "event_foreign_id_idx",
    }


@pytest.mark.parametrize("count", [1, 2, 500])
def test_events_of_messages_are_found_by_their_index(count):
    assert indexes_of(ProviderEvent.objects.filter(message__in=some_ids(count))) == {BY_MESSAGE}


def test_events_of_one_message_are_found_by_their_index():
    message = Message.objects.first()
    assert indexes_of(message.events.order_by("received_at")) == {BY_MESSAGE}


def test_joins_find_events_by_their_index():
    newest = ProviderEvent.objects.filter(message=OuterRef("pk"))
    messages = Message.objects.filter(id__in=some_ids(2))
    assert indexes_of(messages.filter(Exists(newest))) == {BY_MESSAGE}
    assert indexes_of(messages.values("events__kind")) == {BY_MESSAGE}


def test_deletion_of_messages_finds_events_by_their_index():
    ids = some_ids(3)
    with CaptureQueriesContext(connection) as captured:
        Message.objects.filter(id__in=ids).delete()
    found = [each["sql"] for each in captured if f'"{EVENTS}"."message_id" IN' in each["sql"]]
    assert found
    assert all(indexes(sql) == {BY_MESSAGE} for sql in found)


def test_retention_finds_events_by_their_index():
    for sort in retention._sorts():
        if sort.name in {"messages", "dead letters"}:
            assert indexes_of(sort.old[:10]) == {BY_MESSAGE}


def test_foreign_key_finds_events_by_their_index():
    # PostgreSQL's check after a message was deleted, which it plans once for all ids.
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        check = f"SELECT 1 FROM ONLY {EVENTS} x WHERE $1 = message_id FOR KEY SHARE OF x"  # noqa: S608
        cursor.execute(f"PREPARE checked (uuid) AS {check}")
    try:
        assert indexes(f"EXECUTE checked ('{some_ids(1)[0]}')") == {BY_MESSAGE}
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DEALLOCATE checked")
