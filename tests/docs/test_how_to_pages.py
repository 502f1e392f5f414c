"""The how-to pages' commands run as they are written, and their examples of configuration are accepted."""

import re
import shlex
import textwrap
from io import StringIO

import pytest
from django.core.management import call_command, get_commands, load_command_class

from config.environment import BASE_DIR
from notifications.models import Message, Pause
from notifications.rules.states import Status
from tests.factories import MessageFactory, UserFactory
from tests.promtool import needs_promtool, promtool

FOLDER = BASE_DIR / "docs" / "how-to"
PAGES = sorted(page.name for page in FOLDER.glob("*.md"))
COMMAND = re.compile(
    r"^ {4,}(?:timeout \d+ |\S+ run .*manage |python )?(?:manage\.py )(\w.*?)(?: {2,}#.*)?$", re.MULTILINE
)
# A page's placeholder, and a value for it.
FILES = {"$(cat news.txt)": "One.\n\nTwo."}


def commands(page):
    found = COMMAND.findall((FOLDER / page).read_text())
    return [[FILES.get(word, word) for word in shlex.split(line)] for line in found]


def run(words):
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)])
def test_commands_of_the_page_are_valid(page):
    for name, *arguments in commands(page):
        load_command_class(get_commands()[name], name).create_parser("manage.py", name).parse_args(arguments)


@pytest.mark.django_db
@pytest.mark.usefixtures("valkey")
def test_page_about_steering_pauses_cancels_and_changes_circuits(settings):
    settings.EMAIL_PROVIDERS = ["ses"]
    queued = MessageFactory(kind="product-news", stream="bulk")
    outputs = [run(words) for words in commands("steer.md")]
    assert {(pause.what, pause.name) for pause in Pause.objects.in_force()} == {
        ("kind", "product-news"),
        ("provider", "ses"),
    }
    assert Message.objects.get(id=queued.id).status == Status.CANCELLED
    assert [output.split()[1] for output in outputs[-2:]] == ["closed", "open"]


@pytest.mark.django_db
def test_page_about_announcements_writes_once_to_each_reader():
    UserFactory(wants_news=True, confirmed_at="2026-01-01T00:00:00Z")
    for words in [*commands("announce.md"), *commands("announce.md")]:
        run(words)
    (message,) = Message.objects.filter(kind="product-news")
    assert message.context["paragraphs"] == ["One.", "Two."]


@pytest.mark.django_db
@pytest.mark.usefixtures("valkey")
def test_page_about_resending_replays_dead_letters():
    dead = MessageFactory(status=Status.DEAD, error_fingerprint="ses/MessageRejected", died_at="2026-01-01T00:00:00Z")
    Message.objects.filter(id=dead.id).update(died_at=dead.created_at)
    dry, wet = commands("resend.md")
    run(dry)
    assert Message.objects.get(id=dead.id).status == Status.DEAD
    run(wet)
    assert Message.objects.get(id=dead.id).status == Status.QUEUED


@pytest.mark.django_db
@pytest.mark.usefixtures("valkey")
def test_page_for_support_staff_explains_messages():
    message = MessageFactory(user=UserFactory(email="ada@example.com"), to_address="ada@example.com")
    (words,) = commands("answer-users.md")
    assert str(message.id) in run(words)


@needs_promtool
def test_page_about_monitoring_configures_prometheus(tmp_path):
    (block,) = re.findall(r"(?:^ {7}.*\n)+(?=\n   One target)", (FOLDER / "monitor.md").read_text(), re.MULTILINE)
    config = tmp_path / "prometheus.yml"
    config.write_text(textwrap.dedent(block))
    done = promtool("check", "config", "--syntax-only", str(config))
    assert done.returncode == 0, done.stdout + done.stderr
