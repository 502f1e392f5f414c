"""Log lines as JSON, with the ids of what they are about."""

import json
import logging
import sys

import pytest

from config.json_logs import MOST_IDS, JsonLine
from notifications.models import transitions
from notifications.rules.states import Event, Status
from notifications.runtime.log_context import log_context, log_fields
from tests.config.settings.process import run


def record(text="text", *arguments, **extra):
    made = logging.LogRecord("accounts", logging.WARNING, "", 1, text, arguments, extra.pop("exc_info", None))
    vars(made).update(extra)
    return made


def line(made):
    text = JsonLine().format(made)
    assert "\n" not in text
    return json.loads(text)


def test_line_has_time_level_logger_and_message():
    made = record("two\n%s", "Ümlaut")
    made.created = 1_777_809_615.25
    assert line(made) == {
        "time": "2026-05-03T12:00:15.250+00:00",
        "level": "WARNING",
        "logger": "accounts",
        "message": "two\nÜmlaut",
    }


def test_traceback_is_one_field():
    try:
        int("")
    except ValueError:
        found = line(record(exc_info=sys.exc_info()))
    assert found["exception"].startswith("Traceback")


def test_context_is_added_and_ends():
    with log_context(request_id="abc"):
        with log_context(task_id="t", message_ids=["m"]):
            found = line(record())
            assert (found["request_id"], found["task_id"], found["message_ids"]) == ("abc", "t", ["m"])
        assert log_fields() == {"request_id": "abc"}
    assert log_fields() == {}


@pytest.mark.parametrize(("count", "expected"), [(MOST_IDS, None), (MOST_IDS + 1, MOST_IDS + 1)])
def test_line_names_at_most_some_messages(count, expected):
    found = line(record(message_ids=[str(number) for number in range(count)]))
    assert (len(found["message_ids"]), found.get("messages")) == (MOST_IDS, expected)


def test_end_of_a_task_names_it():
    """Celery logs it outside the task, with the task's data."""
    assert line(record(data={"id": "t", "name": "deliver"}))["task_id"] == "t"


def test_change_of_a_status_names_its_messages(caplog):
    changed = [transitions.Changed(id="m", kind="welcome")]
    with caplog.at_level(logging.INFO, transitions.__name__), log_context(message_ids=["m", "n"]):
        transitions.log(transitions.Transition(event=Event.EXPIRED, to=Status.EXPIRED, messages=changed))
        (made,) = caplog.records
        assert line(made)["message_ids"] == ["m"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "kept"), [("proxy-id.1234", True), ("", False), ("short", False), ("a" * 65, False), ("a b c d e", False)]
)
def test_response_names_the_request(client, given, kept):
    answer = client.get("/healthz/live", headers={"X-Request-ID": given})["X-Request-ID"]
    assert (answer == given) is kept
    assert len(answer) >= 8


def test_error_response_is_logged_with_the_request(client, db, caplog):
    response = client.get("/there-is-none/", headers={"X-Request-ID": "proxy-id.1234"})
    assert response.status_code == 404
    (made,) = [made for made in caplog.records if made.name == "django.request"]
    assert line(made)["request_id"] == "proxy-id.1234"


def test_gunicorn_logs_json_before_django_is_set_up():
    program = (
        "from gunicorn.app.wsgiapp import WSGIApplication as App; import sys;"
        "sys.argv = ['gunicorn', 'config.wsgi', '-c', 'config/gunicorn_conf.py'];"
        "from gunicorn.glogging import Logger; Logger(App().cfg).info('Booting %s', 'worker')"
    )
    done = run("-c", program, LOG_FORMAT="json", MAILROOM_ROLE="web")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stderr)["message"] == "Booting worker"
