"""docs/how-to/test-your-email.md: its tests run here, with the kind of docs/how-to/install.md.

tests/adopt runs the page in a new project, with its proof.
"""

import re
import sys
import textwrap
from types import ModuleType

import pytest
from django.db.models.signals import post_save

import notifications.testing
from accounts import receivers
from accounts.models import User
from config.environment import BASE_DIR
from notifications import kinds
from notifications.testing import Failure, ReportedOutcome

PAGE = (BASE_DIR / "docs/how-to/test-your-email.md").read_text()
INSTALL = (BASE_DIR / "docs/how-to/install.md").read_text()
BLOCK = re.compile(r"^`([\w./-]+)`[^\n]*\n\n((?:    [^\n]*\n|\n)+)", re.MULTILINE)
BLOCKS = {name: textwrap.dedent(text) for name, text in BLOCK.findall(PAGE)}
TEMPLATES = "orders/templates/"


def _module(name):
    # Imported before this module's tests are collected, and declares no kind: only these tests have it.
    module = ModuleType(name)
    exec(compile(BLOCKS[f"{name.replace('.', '/')}.py"], name, "exec"), vars(module))  # noqa: S102 - the page's code
    return module


with pytest.MonkeyPatch.context() as patch:
    patch.setitem(sys.modules, "orders", ModuleType("orders"))
    patch.setitem(sys.modules, "orders.shipping", _module("orders.shipping"))
    exec(compile(BLOCKS["orders/test_shipping.py"], "test-your-email.md", "exec"), globals())  # noqa: S102 - the same


@pytest.fixture(autouse=True)
def order_shipped(monkeypatch, settings, tmp_path):
    """Declare the kind as the page does, with the templates of the other page."""
    monkeypatch.setattr(kinds, "KINDS", kinds.KINDS.copy())
    _module("orders.emails")
    for name, text in BLOCK.findall(INSTALL):
        if name.startswith(TEMPLATES):
            file = tmp_path / name.removeprefix(TEMPLATES)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text).strip())
    (first, *others) = settings.TEMPLATES
    settings.TEMPLATES = [{**first, "DIRS": [*first.get("DIRS", []), tmp_path]}, *others]
    settings.SITE_URL = "https://shop.example.com"


@pytest.fixture(autouse=True)
def new_users_get_no_email():
    """Create users as in the page's project, which sends no email to welcome them."""
    post_save.disconnect(sender=User, dispatch_uid="accounts.welcome_new_user")
    yield
    receivers.connect()


def test_page_names_each_failure_and_report():
    assert [one.value for one in (*Failure, *ReportedOutcome) if f"`{one}`" not in PAGE] == []


def test_every_public_name_is_there():
    assert [name for name in notifications.testing.__all__ if not hasattr(notifications.testing, name)] == []
