"""docs/how-to/check-a-provider.md: its commands find what is wrong here, and its table has each line that they print.

The results of a test message are followed in tests/notifications/operations/test_command.py.
"""

import re

import pytest
from aiosmtpd.controller import Controller

from config.environment import BASE_DIR
from devtools.stack.ports import free_port
from notifications.management.commands.provider_check import Command
from notifications.operations import dns
from tests.docs.pages import block, rows
from tests.docs.test_how_to_pages import commands
from tests.notifications.operations.conftest import server
from tests.notifications.operations.test_command import run

__all__ = ["server"]

PAGE = "check-a-provider.md"
SOURCES = [
    *(BASE_DIR / "notifications/providers").glob("*/account.py"),
    *(BASE_DIR / "notifications/providers").glob("*/findings.py"),
    *(BASE_DIR / "notifications/operations").glob("*.py"),
]
FINDING = re.compile(r'\b(?:good|bad|note|Finding)\(\s*(?:Level\.\w+,\s*)?"([A-Za-z ]+)"')


@pytest.fixture
def sending(settings, monkeypatch, server):
    """An SMTP server, and a domain with its records."""
    monkeypatch.setattr(dns, "Resolver", server.resolver)
    monkeypatch.setattr(dns, "WITHIN_S", 60.0)
    server.records = {"mailroom.example": ["v=spf1 a -all"], "_dmarc.mailroom.example": ["v=DMARC1; p=reject"]}
    controller = Controller(type("Sink", (), {})(), hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_PROVIDERS, settings.SMTP_URL = ["smtp"], f"smtp://127.0.0.1:{controller.port}"
    settings.SENDGRID_API_KEY = ""
    yield
    controller.stop()


@pytest.mark.django_db
def test_commands_of_the_page_check_the_provider(sending):
    everything, one, test_message = commands(PAGE)
    printed, said = run(*everything[1:])
    assert re.search(r"^ok +smtp connection ", printed, re.MULTILINE)
    assert not said
    # One that is not in EMAIL_PROVIDERS, and has no key here.
    printed, said = run(*one[1:])
    assert printed.split()[:3] == ["bad", "sendgrid", "settings"]
    assert said
    # Needs workers.
    assert Command().create_parser("manage.py", "provider_check").parse_args(test_message[1:]).send_to


def test_table_has_each_line():
    named = {name for row in rows(PAGE, "| line | what") for name in re.findall(r"`([^`]+)`", row[0])}
    printed = {name for file in SOURCES for name in FINDING.findall(file.read_text())}
    assert printed - named == set()
    source = "\n".join(file.read_text() for file in SOURCES)
    assert [name for name in sorted(named) if f'"{name}"' not in source] == []


def test_example_of_a_check_has_the_form_of_its_output():
    lines = block(PAGE, "ses sandbox").splitlines()
    assert all(re.match(r"(ok|note|bad) +ses \w+ +\S|      +→ ", line) for line in lines)
