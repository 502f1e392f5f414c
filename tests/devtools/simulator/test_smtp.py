"""The simulator as an SMTP server, over real connections."""

import smtplib
from email.message import EmailMessage

import pytest

from devtools.simulator.smtp import Greylist
from devtools.stack.ports import free_port
from tests.live.running import eventually
from tests.simulated import simulator


@pytest.fixture(scope="module")
def port():
    return free_port()


@pytest.fixture(scope="module")
def server(tmp_path_factory, port):
    with simulator(tmp_path_factory.mktemp("smtp"), "--smtp-port", str(port)) as running:
        yield running


@pytest.fixture(autouse=True)
def neutral_controls(server):
    server.set_controls("smtp", latency_ms=0, error_rate=0, greylist_s=3600, fault="none", fault_rate=0, fault_next=0)


def send(port, to):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Shop <shop@example.com>", f"Ada <{to}>", "Welcome"
    message["Message-ID"] = "<one@example.com>"
    message.set_content("Hi Ada")
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as connection:
        connection.send_message(message)


def test_accepted_email_is_in_the_journal_with_our_message_id(server, port):
    send(port, "ada@example.com")
    entry = server.messages(provider="smtp")[0]
    assert (entry["to"], entry["to_name"], entry["subject"]) == ("ada@example.com", "Ada", "Welcome")
    assert entry["metadata"]["mailroom_message_id"] == "one"
    assert (entry["answered"], server.calls()[-1]["ended"]) == ("complete", "complete")


@pytest.mark.parametrize(("reads", "answered"), [(True, "complete"), (False, "unread")])
def test_answer_dropped_by_its_client_is_unread(server, port, reads, answered):
    before = server.stats()["accepted"]
    client = smtplib.SMTP("127.0.0.1", port, timeout=30)
    client.ehlo()
    client.mail("shop@example.com")
    client.rcpt("ada@example.com")
    client.putcmd("data")
    client.getreply()
    client.send(b"Subject: Welcome\r\n\r\nHi Ada\r\n.\r\n")
    eventually(lambda: server.stats()["accepted"] > before and server.calls()[-1]["ended"])
    if reads:
        client.getreply()
        client.putcmd("quit")
    client.close()
    eventually(lambda: server.messages(provider="smtp")[0]["answered"] == answered)
    # A correction would follow the end of the connection, which the simulator has seen before this one's.
    send(port, "bob@example.com")
    assert server.messages(to="ada@example.com")[0]["answered"] == answered


@pytest.mark.parametrize(("local", "code"), [("full", 452), ("greylisted", 450), ("unknown", 550)])
def test_recipient_is_refused_by_its_local_part(server, port, local, code):
    before = server.stats()["accepted"]
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send(port, f"{local}1@example.com")
    assert refused.value.recipients[f"{local}1@example.com"][0] == code
    assert server.calls()[-1]["ended"] == "refused"
    assert server.stats()["accepted"] == before


def test_greylisted_recipient_is_accepted_later(server, port):
    server.set_controls("smtp", greylist_s=0)
    send(port, "greylisted2@example.com")
    assert server.messages(to="greylisted2@example.com")


@pytest.mark.parametrize(("after_s", "refused"), [(0, True), (9, True), (10, False)])
def test_greylist_counts_from_the_first_time(after_s, refused):
    greylist = Greylist()
    greylist.refuses("A@x.example", seconds=10, now=100)
    assert greylist.refuses("a@x.example", seconds=10, now=100 + after_s) is refused


@pytest.mark.parametrize(
    ("controls", "error"),
    [
        ({"fail_next": 1}, smtplib.SMTPSenderRefused),
        ({"fault": "suspended", "fault_next": 1}, smtplib.SMTPRecipientsRefused),
        ({"fault": "cut_before", "fault_next": 1}, smtplib.SMTPServerDisconnected),
    ],
)
def test_refused_or_cut_email_is_not_accepted(server, port, controls, error):
    before = server.stats()["accepted"]
    server.set_controls("smtp", **controls)
    with pytest.raises(error):
        send(port, "ada@example.com")
    assert server.stats()["accepted"] == before


def test_email_that_is_cut_after_its_acceptance_is_in_the_journal(server, port):
    server.set_controls("smtp", fault="cut_after", fault_next=1)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(port, "cut@example.com")
    assert server.messages(to="cut@example.com")[0]["answered"] == "cut"
