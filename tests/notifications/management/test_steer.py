"""The commands that pause, resume, cancel, and change circuits."""

from datetime import timedelta
from io import StringIO

import pytest
import redis
from django.core.management import CommandError, call_command

from notifications.breaker import store
from notifications.models import Message, Pause
from notifications.rules.states import Status
from tests.factories import MessageFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def command(*words):
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("what", "name"), [("stream", "bulk"), ("stream", "critical"), ("kind", "welcome"), ("provider", "simulator")]
)
def test_command_pauses_and_resumes(what, name):
    assert command("pause", what, name, "--reason", "wrong text", "--by", "Ada")
    made = Pause.objects.in_force().get()
    assert (made.what, made.name, made.by, made.reason, made.until) == (what, name, "Ada", "wrong text", None)
    with pytest.raises(CommandError, match="Ada"):
        command("pause", what, name, "--reason", "again")
    command("resume", what, name)
    assert not Pause.objects.in_force().exists()
    assert "manage.py" in Pause.objects.get().ended_by
    with pytest.raises(CommandError):
        command("resume", what, name)


@pytest.mark.parametrize(("text", "lasts"), [("30m", {"minutes": 30}), ("2h", {"hours": 2}), ("1d", {"days": 1})])
def test_pause_ends_after_the_given_time(text, lasts):
    command("pause", "stream", "bulk", "--reason", "x", "--lasts", text)
    made = Pause.objects.get()
    assert made.until - made.since == timedelta(**lasts)


@pytest.mark.parametrize(
    "words", [("stream", "bluk"), ("kind", "bulk"), ("provider", "ses"), ("stream", "bulk", "--lasts", "0h")]
)
def test_wrong_pause_is_refused(words):
    with pytest.raises(CommandError):
        command("pause", *words, "--reason", "x")
    assert not Pause.objects.exists()


def test_circuit_is_shown_opened_and_closed():
    assert "simulator: closed" in command("circuit")
    assert "simulator: open" in command("circuit", "open", "simulator")
    assert store.current("simulator")[0].is_open
    assert "simulator: closed" in command("circuit", "close", "simulator")
    for words in (["open"], ["close", "ses"]):
        with pytest.raises(CommandError):
            command("circuit", *words)


def test_circuit_is_unchanged_without_redis(monkeypatch):
    def fail(provider, rule):
        raise redis.ConnectionError

    monkeypatch.setattr(store, "update_shared", fail)
    with pytest.raises(CommandError, match="ConnectionError"):
        command("circuit", "open", "simulator")


def test_command_counts_and_cancels():
    MessageFactory.create_batch(3)
    MessageFactory(kind="password-changed")
    assert command("cancel_messages", "--kind", "welcome", "--dry-run").startswith("3 ")
    assert not Message.objects.exclude(status=Status.QUEUED).exists()
    shown = command("cancel_messages", "--kind", "welcome", "--since", "1h", "--reason", "wrong text")
    assert shown.splitlines()[-1].startswith("3 ")
    assert Message.objects.filter(status=Status.CANCELLED).count() == 3
    assert command("cancel_messages", "--kind", "welcome", "--reason", "x").splitlines()[-1].startswith("0 ")


@pytest.mark.parametrize("words", [[], ["--reason", "x"], ["--kind", "welcome"], ["--since", "yesterday"]])
def test_incomplete_cancellation_is_refused(words):
    MessageFactory()
    with pytest.raises(CommandError):
        command("cancel_messages", *words)
    assert Message.objects.get().status == Status.QUEUED
