"""An SMTP server that follows the protocol up to one chosen step."""

import socket
import ssl
from enum import StrEnum

from tests.notifications.providers.base.faults import Act, Peer


class Step(StrEnum):
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"


REPLIES = {
    Step.GREETING: "220 here",
    Step.EHLO: "250-here\r\n250-AUTH PLAIN\r\n250 STARTTLS",
    Step.STARTTLS: "220 go ahead",
    Step.AUTH: "235 welcome",
    Step.MAIL: "250 OK",
    Step.RCPT: "250 OK",
    Step.DATA: "354 go ahead",
    Step.BODY: "250 OK",
}


def reply(text: str) -> Act:
    def write(peer: Peer) -> None:
        peer.connection.sendall(f"{text}\r\n".encode())

    return write


def hold(peer: Peer) -> None:
    peer.hold()


def dribble(peer: Peer) -> None:
    peer.dribble(b"2")


def cut(peer: Peer) -> None:
    """Stop answering."""


def truncate(peer: Peer) -> None:
    peer.connection.sendall(b"25")


def reset(peer: Peer) -> None:
    peer.reset()


garbage = reply("\x00\x01 this is not SMTP")


class Smtp:
    """`act` replaces the reply at `at`; the connection ends after it, unless `goes_on`.

    `said` has every command of every connection. Complete emails are the server's `requests`.
    """

    def __init__(
        self, at: Step | None = None, act: Act = cut, *, goes_on: bool = False, tls: ssl.SSLContext | None = None
    ) -> None:
        self.at = at
        self.act = act
        self.goes_on = goes_on
        self.tls = tls
        self.said: list[str] = []

    def __call__(self, peer: Peer) -> None:
        going_on = self._answer(peer, Step.GREETING)
        while going_on:
            verb = _line(peer.connection)[:4].decode("latin-1").strip().lower()
            self.said.append(verb)
            going_on = verb != "quit" and self._command(peer, verb)

    def _command(self, peer: Peer, verb: str) -> bool:
        if verb == "rset":
            reply("250 OK")(peer)
            return True
        step = {"helo": Step.EHLO, "star": Step.STARTTLS}.get(verb) or Step(verb)
        going_on = self._answer(peer, step)
        if going_on and step is Step.STARTTLS and self.tls is not None:
            peer.connection = self.tls.wrap_socket(peer.connection, server_side=True)
        if going_on and step is Step.DATA and self.at is not Step.DATA:
            peer.server.requests.append(_body(peer.connection))
            going_on = self._answer(peer, Step.BODY)
        return going_on

    def _answer(self, peer: Peer, step: Step) -> bool:
        if step is not self.at:
            reply(REPLIES[step])(peer)
            return True
        self.act(peer)
        return self.goes_on


def _line(connection: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\r\n"):
        if not (byte := connection.recv(1)):
            raise ConnectionError("the client has ended it")
        line += byte
    return line


def _body(connection: socket.socket) -> bytes:
    body = b""
    while (line := _line(connection)) != b".\r\n":
        body += line
    return body
