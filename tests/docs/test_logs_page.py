"""docs/how-to/read-logs.md: a process writes the line of the page, with the fields of its table."""

import json
import logging
import re

import pytest

from config.json_logs import MOST_IDS, JsonLine
from notifications.models import transitions
from notifications.rules.states import Event, Status
from notifications.runtime.log_context import log_context
from tests.docs.pages import block, rows, text_of

PAGE = "read-logs.md"


def test_line_has_the_fields_of_the_example(caplog):
    shown = json.loads(block(PAGE, '"time"').replace("\n", " "))
    changed = [transitions.Changed(id="0196", kind="welcome")]
    with caplog.at_level(logging.INFO, shown["logger"]), log_context(task_id="0196", message_ids=["0196"]):
        transitions.log(transitions.Transition(event=Event.EXPIRED, to=Status.EXPIRED, messages=changed))
        (record,) = caplog.records
        written = json.loads(JsonLine().format(record))
    assert list(written) == list(shown)
    keys = re.compile(r"(\w+)=")
    assert keys.findall(written["message"]) == keys.findall(shown["message"])
    assert f"at most {MOST_IDS};" in text_of(PAGE)


def test_table_has_each_field():
    named = {name for row in rows(PAGE, "| field |") for name in re.findall(r"`(\w+)`", row[0])}
    assert named == {"time", "level", "logger", "message", "request_id", "task_id", "message_ids", "exception"}


@pytest.mark.django_db
def test_response_names_its_request(client):
    assert client.get("/healthz/live")["X-Request-ID"]
    assert "`X-Request-ID`" in text_of(PAGE)
