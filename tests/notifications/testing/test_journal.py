"""The journal of a proof writes down what it has received completely."""

import smtplib
import socket

from notifications.testing.proof.journal import HOST, Journal

EMAIL = "Message-ID: <id-1@example.com>\r\nSubject: Hi\r\n\r\n..\r\nText\r\n"


def test_accepted_email_is_written_down():
    with Journal() as journal, smtplib.SMTP(HOST, journal.server_address[1]) as client:
        client.sendmail("shop@example.com", ["Ada@example.com", "bob@example.com"], EMAIL)
        client.sendmail("shop@example.com", ["eve@example.com"], EMAIL.replace("id-1", "id-2"))
        found = [(entry.message_id, entry.address) for entry in journal.entries]
    assert found == [("id-1", "ada@example.com"), ("id-1", "bob@example.com"), ("id-2", "eve@example.com")]


def test_half_an_email_is_not_accepted():
    with Journal() as journal:
        client = smtplib.SMTP(HOST, journal.server_address[1])
        client.ehlo()
        client.docmd("mail", "from:<shop@example.com>")
        client.docmd("rcpt", "to:<ada@example.com>")
        assert client.docmd("data")[0] == 354
        assert journal.is_in_call
        client.send("Message-ID: <id-1@example.com>\r\n")
        client.sock.shutdown(socket.SHUT_WR)
        # The session ends without an answer.
        assert client.sock.recv(1) == b""
        client.close()
        assert journal.entries == []
