"""docs/how-to/attach-files.md and schedule.md: their code runs as it is written."""

import re
import textwrap
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from config.environment import BASE_DIR
from notifications import Attachment, Kind, Stream, kinds, register
from notifications.models import Message, MessageContent
from notifications.rules.content import unpacked
from notifications.rules.states import Status
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

FOLDER = BASE_DIR / "docs" / "how-to"
BLOCK = re.compile(r"(?:^    .*\n|\n)+", re.MULTILINE)


@pytest.fixture(autouse=True)
def _other_kinds(monkeypatch):
    monkeypatch.setattr(kinds, "KINDS", dict(kinds.KINDS))


def blocks(page):
    found = [textwrap.dedent(block).strip() for block in BLOCK.findall((FOLDER / page).read_text())]
    return [block for block in found if block]


def execute(code, **names):
    exec(compile(code, "a page", "exec"), names)  # noqa: S102 - our own page
    return names


def test_page_about_files_attaches_them():
    stored, made = blocks("attach-files.md")
    known = {"Attachment": Attachment, "Kind": Kind, "Stream": Stream, "register": register, "timedelta": timedelta}
    execute(made, **known, make_pdf=lambda number: str(number).encode())
    execute(stored, user=UserFactory(), pdf=b"%PDF")
    content = unpacked(bytes(MessageContent.objects.get().packed))
    assert [one.address for one in content.further] == ["accounts@customer.example", "archive@shop.example"]
    assert [(file.name, file.content) for file in content.attachments] == [("invoice.pdf", b"%PDF")]
    (file,) = kinds.get("order-shipped").attachments(None, Message.objects.get().context)
    assert file.content == b"4711"


def test_page_about_scheduling_moves_and_cancels():
    (code,) = blocks("schedule.md")
    register(Kind(name="trial-ends", stream=Stream.DEFAULT, max_age=timedelta(days=1), secrets={}))
    trial = SimpleNamespace(ends_at=timezone.now() + timedelta(days=10))
    before, moved, cancelled = re.split(r"\n(?=reschedule|cancel)", code)
    names = execute(before, user=UserFactory(), trial=trial)
    assert Message.objects.get().due_at == trial.ends_at - timedelta(days=3)
    trial.ends_at += timedelta(days=30)
    names = execute(moved, **names)
    assert Message.objects.get().due_at == trial.ends_at - timedelta(days=3)
    execute(cancelled, **names)
    assert Message.objects.get().status == Status.CANCELLED
