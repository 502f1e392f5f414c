"""The command that replays dead letters."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from notifications.models import Message
from tests.factories import UserFactory
from tests.notifications.delivery.dead_letters import FINGERPRINT, broken, dead, expired

pytestmark = pytest.mark.django_db


def command(*words):
    out = StringIO()
    call_command("replay_dead", *words, stdout=out)
    return out.getvalue()


def test_command_predicts_and_replays():
    dead()
    expired()
    dead(error_fingerprint="", user=UserFactory())
    shown = command("--all", "--dry-run")
    heading, first, second, result = shown.splitlines()
    assert heading.split() == [
        *("error", "kind", "dead", "relevant", "expired", "suppressed", "irrelevant", "resent", "anonymized", "broken"),
        *("oldest", "newest"),
    ]
    assert first.split()[:8] == [FINGERPRINT, "welcome", "2", "1", "1", "0", "0", "0"]
    assert second.split()[:4] == ["-", "welcome", "1", "1"]
    assert result.split()[:3] == ["2", "of", "3"]
    assert not Message.objects.filter(replays__gt=0).exists()
    assert command("--error", "scripted/", "--since", "1h").splitlines()[-1].startswith("1 of 2 ")
    assert command("--all").splitlines()[-1].startswith("1 of 2 ")


@pytest.mark.parametrize("since", ["30m", "2h", "3d", "2020-01-02", "2020-01-02T10:00", "2020-01-02T10:00+02:00"])
def test_command_reads_times(since):
    dead()
    assert command("--since", since, "--dry-run").splitlines()[-1].startswith("1 of 1 ")


def test_command_accepts_a_removed_kind():
    broken()
    assert command("--kind", "long-gone").splitlines()[-1].startswith("0 of 1 ")
    assert command("--kind", "product-news").startswith("0 of 0 ")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "--kind.*--error.*--since.*--all"),
        (["--dry-run"], "--all"),
        (["--kind", "welcom"], "'welcom'"),
        (["--since", "yesterday"], "--since 'yesterday'"),
        (["--since", "2026-13-01"], "--since '2026-13-01'"),
        (["--since", "99999999h"], "--since '99999999h'"),
    ],
)
def test_command_refuses_wrong_options(words, problem):
    with pytest.raises(CommandError, match=problem):
        command(*words)
