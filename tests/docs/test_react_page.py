"""docs/how-to/react-to-deliveries.md, followed with a message that is delivered."""

import re
import sys
import textwrap
from types import ModuleType

import pytest
from django.db import connection, models

from config.environment import BASE_DIR
from notifications.changes.dispatch import dispatch
from notifications.models import transitions
from notifications.rules.changes import MessageChange
from notifications.rules.outcomes import Outcome
from notifications.rules.states import Status
from notifications.signals import message_changed
from tests.factories import MessageFactory
from tests.notifications.models.test_transitions import message_in

PAGE = (BASE_DIR / "docs/how-to/react-to-deliveries.md").read_text()
BLOCK = re.compile(r"^`([\w./-]+)`[^\n]*\n\n((?:    [^\n]*\n|\n)+)", re.MULTILINE)
BLOCKS = {name: textwrap.dedent(text).strip() + "\n" for name, text in BLOCK.findall(PAGE)}


def test_page_lists_every_change():
    _, _, table = PAGE.partition("| change |")
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == set(MessageChange)


@pytest.fixture
def order(db, monkeypatch):
    """The model of a shop, with its table."""

    class Order(models.Model):  # noqa: DJ008 - for one test
        number = models.CharField(max_length=20)
        notified_at = models.DateTimeField(null=True)

        class Meta:
            app_label = "shop_of_a_page"

    shop = ModuleType("shop.models")
    shop.Order = Order
    monkeypatch.setitem(sys.modules, "shop", ModuleType("shop"))
    monkeypatch.setitem(sys.modules, "shop.models", shop)
    with connection.schema_editor() as editor:
        editor.create_model(Order)
    return Order


def test_receiver_of_the_page_marks_the_order(order):
    for number in ("4711", "4712"):
        order.objects.create(number=number)
    receivers = {"__name__": "shop.receivers"}
    exec(compile(BLOCKS["shop/receivers.py"], "shop/receivers.py", "exec"), receivers)  # noqa: S102 - our own page
    try:
        message = message_in(Status.SENT, kind="order-shipped", idempotency_key="order-shipped:4711")
        transitions.record_outcome(Outcome.DELIVERED, [message.id, MessageFactory().id])
        dispatch()
    finally:
        message_changed.disconnect(receivers["note_delivery"])
    assert dict(order.objects.values_list("number", "notified_at"))["4712"] is None
    assert order.objects.get(number="4711").notified_at is not None


def test_application_of_the_page_connects_its_receivers():
    application = compile(BLOCKS["shop/apps.py"], "shop/apps.py", "exec")
    names = {}
    exec(application, names)  # noqa: S102 - the same
    assert names["ShopConfig"].name == "shop"
