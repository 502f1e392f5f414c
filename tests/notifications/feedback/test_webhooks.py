"""What a provider is answered, and what is kept."""

import json

import pytest
from django.db import OperationalError

from notifications.feedback import ingest
from notifications.models import ProviderEvent
from notifications.providers.feedback import RawEvent

pytestmark = pytest.mark.django_db

URL = "/webhooks/scripted/"


def post(client, events, **headers):
    return client.post(URL, json.dumps(events), content_type="application/json", headers=headers)


def test_events_are_stored_as_they_came_and_answered_with_ok(client):
    event = {"id": "e1", "kind": "delivered", "anything": ["else", 1.5, None, True]}
    assert post(client, [event]).status_code == 200
    row = ProviderEvent.objects.get()
    assert (row.provider, row.event_id, row.payload, row.state) == ("scripted", "e1", event, "stored")


def test_repeated_event_is_stored_once(client):
    for _ in range(3):
        assert post(client, [{"id": "e1"}, {"id": "e1"}, {"id": "e2"}]).status_code == 200
    assert ProviderEvent.objects.count() == 2


@pytest.mark.parametrize(("trouble", "status"), [("forged", 403), ("malformed", 400), ("unproven", 503)])
def test_what_is_not_proven_changes_nothing(client, trouble, status):
    answer = post(client, [{"id": "e1"}], **{"X-Trouble": trouble})
    assert answer.status_code == status
    assert ("Retry-After" in answer.headers) == (status == 503)
    assert not ProviderEvent.objects.exists()


def test_oversized_request_is_refused_unread(client, settings):
    settings.WEBHOOK_MAX_BYTES = 100
    assert post(client, [{"id": "e1", "text": "x" * 200}]).status_code == 413
    assert not ProviderEvent.objects.exists()


def test_request_larger_than_a_form_may_be_is_taken(client, settings):
    assert post(client, [{"id": "e1", "text": "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)}]).status_code == 200


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_other_methods_are_refused(client, method):
    assert getattr(client, method)(URL).status_code == 405


def test_unknown_provider_is_not_found(client):
    assert client.post("/webhooks/nobody/").status_code == 404


def test_provider_that_is_not_set_up_is_not_found(client, monkeypatch):
    monkeypatch.setattr("tests.notifications.feedback.conftest.ScriptedWebhook.missing_settings", lambda self: ["KEY"])
    assert post(client, []).status_code == 404


def test_database_away_makes_the_provider_come_again(client, monkeypatch):
    def away(*args, **kwargs):
        raise OperationalError("away")

    monkeypatch.setattr(ProviderEvent.objects, "bulk_create", away)
    client.raise_request_exception = False
    assert post(client, [{"id": "e1"}]).status_code == 503


@pytest.mark.parametrize(
    "hostile",
    [
        "null \x00 character",
        "lone \ud800 surrogate",
        float("nan"),
        float("inf"),
        {"\x00": "in a name"},
        [[["deep", "\x00"]]],
    ],
)
def test_what_the_database_cannot_hold_does_not_block_its_batch(hostile):
    events = [RawEvent("good", {"id": "good"}), RawEvent("odd", {"value": hostile})]
    ingest.store("scripted", events)
    assert ProviderEvent.objects.count() == 2


def test_long_or_odd_event_ids_still_name_one_event():
    for _ in range(2):
        ingest.store("scripted", [RawEvent("x" * 500, {}), RawEvent("null\x00", {})])
    assert ProviderEvent.objects.count() == 2
