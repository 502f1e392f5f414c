"""The pages for monitors: who may read them, and what they say."""

import json
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.db.models.functions import Now
from django.urls import reverse

from notifications.operations import current
from notifications.operations.alerts.run import announce_problems
from notifications.operations.finding import Code
from notifications.rules.states import Status, Stream
from notifications.runtime.heartbeat import beat, served_key
from notifications.runtime.redis_client import client as broker
from tests.factories import MessageFactory
from tests.notifications.operations.jobs import housekeeping_was_done

TOKEN = "0123456789-a-token"
PAGES = [reverse("notifications:status"), reverse("notifications:metrics")]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


@pytest.fixture
def read(client, settings):
    settings.METRICS_TOKEN = TOKEN
    return lambda page: client.get(page, headers={"Authorization": f"Bearer {TOKEN}"})


@pytest.fixture
def healthy(valkey):
    for name in ("relay@here", "beat@here"):
        beat(name)
    for stream in Stream:
        broker().set(served_key(stream), "1")
    housekeeping_was_done(0)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("token", "header"),
    [
        ("", None),
        ("", "Bearer "),
        (TOKEN, None),
        (TOKEN, TOKEN),
        (TOKEN, "Bearer"),
        (TOKEN, "Bearer wrong"),
        (TOKEN, "Bearer ümlaut"),
        (TOKEN, f"Basic {TOKEN}"),
    ],
)
def test_page_does_not_exist_without_the_token(client, settings, page, token, header):
    settings.METRICS_TOKEN = token
    headers = {} if header is None else {"Authorization": header}
    assert client.get(page, headers=headers).status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_pages_only_read(client, settings, page):
    settings.METRICS_TOKEN = TOKEN
    assert client.post(page, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 405


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_never_cached(read, page):
    assert "no-store" in read(page)["Cache-Control"]


def test_status_of_a_healthy_system(read, healthy):
    MessageFactory(due_at=Now() - timedelta(seconds=5))
    response = read(reverse("notifications:status"))
    found = response.json()
    assert (response.status_code, found["ok"], found["problems"]) == (200, True, [])
    assert (found["streams"]["default"]["due"], found["streams"]["bulk"]["due"]) == (1, 0)
    assert {process["name"] for process in found["processes"]} == {"relay@here", "beat@here"}


def test_problem_has_a_code_a_text_and_a_beginning(read, healthy):
    beat("main@here", "tired")
    response = read(reverse("notifications:status"))
    (problem,) = response.json()["problems"]
    assert (response.status_code, problem["code"], problem["since"]) == (503, Code.PROCESS_TROUBLE, None)
    assert "main@here" in problem["text"]
    announce_problems()
    (problem,) = read(reverse("notifications:status")).json()["problems"]
    assert problem["since"]


def test_notice_is_no_problem(read, healthy):
    MessageFactory(status=Status.DEAD, error_fingerprint="ses/x")
    response = read(reverse("notifications:status"))
    assert response.status_code == 200
    assert [notice["code"] for notice in response.json()["notices"]] == [Code.DEAD_LETTERS]


def test_outage_of_the_database_is_a_problem(read, monkeypatch):
    def fail():
        raise OperationalError("connection refused")

    monkeypatch.setattr(current, "collect", fail)
    response = read(reverse("notifications:status"))
    assert response.status_code == 503
    assert [problem["code"] for problem in json.loads(response.content)["problems"]] == [Code.DATABASE_AWAY]
