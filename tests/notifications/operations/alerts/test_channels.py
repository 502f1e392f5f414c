"""Calls of the webhook and the ping URL, to real servers."""

import io

import pytest
from django.core.management import CommandError, call_command

from notifications.operations.alerts import channels
from tests.notifications.operations.alerts.conftest import HOOK, PING, SECRET
from tests.notifications.providers.base.faults import fault_server


def test_webhook_gets_slack_compatible_json(receiver):
    assert channels.post("two\nlines <!channel> & more") == ""
    (asked,) = receiver.api.asked
    assert (asked.method, asked.path) == ("POST", HOOK)
    assert asked.headers["Content-Type"] == "application/json"
    assert receiver.posts() == ["two\nlines [!channel] & more"]


@pytest.mark.parametrize(
    ("added", "problems", "expected"),
    [
        ("", "", ("GET", PING, "")),
        ("", "it broke", ("POST", f"{PING}/fail", "")),
        ("/", "it broke", ("POST", f"{PING}/fail", "")),
        ("?create=1", "it broke", ("POST", f"{PING}/fail", "create=1")),
    ],
)
def test_ping_follows_the_convention_of_healthchecks(receiver, settings, added, problems, expected):
    settings.ALERT_PING_URL += added
    assert channels.ping(problems) == ""
    (asked,) = receiver.api.asked
    assert (asked.method, asked.path, asked.query) == expected
    assert asked.body == problems


@pytest.mark.parametrize("status", [302, 404, 500])
def test_other_answers_are_errors(receiver, status):
    receiver.api.headers["Location"] = receiver.api.url + PING
    receiver.answer(webhook=status)
    assert str(status) in channels.post("text")
    assert len(receiver.api.asked) == 1


def hang(peer):
    peer.hold()


def dribble_headers(peer):
    peer.dribble(b"HTTP/1.1 200 OK\r\n", b"X")


def cut(peer):
    peer.reset()


@pytest.mark.parametrize("act", [hang, dribble_headers, cut])
def test_call_ends_by_its_deadline(settings, monkeypatch, caplog, act):
    monkeypatch.setattr(channels, "DEADLINE_S", 0.3)
    with fault_server(act) as server:
        settings.ALERT_WEBHOOK_URL = server.url + HOOK
        assert channels.post("text")
        assert server.connections == 1
    assert SECRET not in caplog.text


def test_endless_body_is_not_read(settings):
    with fault_server(lambda peer: peer.dribble(b"HTTP/1.1 200 OK\r\n\r\n")) as server:
        settings.ALERT_PING_URL = server.url + PING
        assert channels.ping("") == ""


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://no-such-host.invalid/", "http://[broken/", "no-scheme"])
def test_no_error_contains_the_address(settings, caplog, url):
    settings.ALERT_WEBHOOK_URL = url + SECRET
    with caplog.at_level("DEBUG", "notifications"):
        error = channels.post("text")
    assert error
    assert SECRET not in error + caplog.text


def test_command_sends_a_test(receiver):
    call_command("alert_check", stdout=io.StringIO())
    assert (len(receiver.posts()), receiver.pings()) == (1, ["ok"])


def test_command_fails_if_an_address_fails(receiver):
    receiver.answer(ping=404)
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("alert_check", stdout=out)
    assert "404" in out.getvalue()
    assert SECRET not in out.getvalue()
    assert len(receiver.posts()) == 1


def test_command_fails_without_an_address(settings):
    settings.ALERT_WEBHOOK_URL = settings.ALERT_PING_URL = ""
    with pytest.raises(CommandError):
        call_command("alert_check", stdout=io.StringIO())
