"""docs/how-to/add-a-kind.md, followed to the letter in a copy of the repository."""

import os
import re
import shutil
import textwrap
from dataclasses import fields

from config.environment import BASE_DIR
from notifications import Kind
from tests import forked

PAGE = (BASE_DIR / "docs/how-to/add-a-kind.md").read_text()
BLOCK = re.compile(r"^`([\w./-]+)`[^\n]*\n\n((?:    [^\n]*\n|\n)+)", re.MULTILINE)
SHOW = """
import django
django.setup()
from django.utils import timezone
from accounts.models import User
from notifications.delivery.render import render
from notifications.models import Message
user = User(email="ada@example.com", name="Ada", confirmed_at=timezone.now())
message = Message(kind="order-shipped", user=user, to_address=user.email, context={"number": 4711})
email = render(message, attempt=1)
print(email.subject, email.text, email.html, sep="|")
"""


def test_page_leads_to_a_new_kind(tmp_path):
    blocks = {name: textwrap.dedent(text).strip() + "\n" for name, text in BLOCK.findall(PAGE)}
    assert len(blocks) == 4
    copy = tmp_path / "mailroom"
    ignored = shutil.ignore_patterns(".git", ".venv", ".local", "tests", "docs", "__pycache__", ".*_cache")
    shutil.copytree(BASE_DIR, copy, ignore=ignored)
    declaration = blocks.pop("accounts/emails.py")
    for name, text in blocks.items():
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_text(text)
    with (copy / "accounts" / "emails.py").open("a") as emails:
        emails.write("\n" + declaration)

    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    checked = forked.run("manage.py", "check", folder=copy, environment=environment)
    assert checked.returncode == 0, checked.stderr
    shown = forked.run("-c", SHOW, folder=copy, environment=environment)
    assert shown.returncode == 0, shown.stderr
    subject, text, html = shown.stdout.split("|")
    assert "4711" in subject
    assert "Ada," in text
    (sentence,) = [line for line in text.splitlines() if "4711" in line]
    assert f">{sentence}</p>" in html
    assert f"{sentence}\n\n--" in text


def test_page_shows_how_to_enqueue_it():
    assert 'enqueue(Draft(kind="order-shipped"' in PAGE


def test_page_has_a_row_for_each_field_of_a_kind():
    assert set(re.findall(r"^\| `(\w+)(?:\(.*\))?` \|", PAGE, re.MULTILINE)) == {field.name for field in fields(Kind)}
