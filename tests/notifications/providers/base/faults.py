"""A server with one chosen fault on the socket, which counts the requests that it gets."""

import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

# Much longer than any deadline of a test: a call that lasts this long was not ended by the deadline.
HOLD_S = 30.0
DRIBBLE_S = 0.05


@dataclass
class Peer:
    """A client's connection. `request` is what the server has read."""

    connection: socket.socket
    server: "FaultServer"
    request: bytes = b""

    def hold(self) -> None:
        self.server.stopped.wait(HOLD_S)

    def dribble(self, data: bytes, then: bytes = b"x") -> None:
        """Send `data`, and then single bytes forever."""
        self.connection.sendall(data)
        while not self.server.stopped.wait(DRIBBLE_S):
            self.connection.sendall(then)

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


Act = Callable[[Peer], None]


@dataclass
class FaultServer:
    """`connections` counts connections, `requests` has complete requests."""

    port: int
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    # One entry per connection that the client or the server has ended.
    ended: "threading.Semaphore" = field(default_factory=lambda: threading.Semaphore(0))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def fault_server(act: Act, *, tls: ssl.SSLContext | None = None) -> Iterator[FaultServer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = FaultServer(listener.getsockname()[1])
        talks: list[tuple[Peer, threading.Thread]] = []
        accepting = threading.Thread(target=_accept, args=(listener, server, act, tls, talks), daemon=True)
        accepting.start()
        try:
            yield server
        finally:
            server.stopped.set()
            listener.shutdown(socket.SHUT_RDWR)
    accepting.join(5)
    for peer, thread in talks:
        # A client keeps its connection for the next email.
        with suppress(OSError):
            peer.connection.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def _accept(
    listener: socket.socket,
    server: FaultServer,
    act: Act,
    tls: ssl.SSLContext | None,
    talks: list[tuple[Peer, threading.Thread]],
) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        server.connections += 1
        connection.settimeout(HOLD_S)
        peer = Peer(connection, server)
        talks.append((peer, threading.Thread(target=_talk, args=(peer, act, tls), daemon=True)))
        talks[-1][1].start()


def _talk(peer: Peer, act: Act, tls: ssl.SSLContext | None) -> None:
    with suppress(OSError):
        if tls is not None:
            peer.connection = tls.wrap_socket(peer.connection, server_side=True)
        act(peer)
    peer.connection.close()
    peer.server.ended.release()


# --- Before a request was read --------------------------------------------------------------------------------------
def hold_unread(peer: Peer) -> None:
    peer.hold()


def cut_unread(peer: Peer) -> None:
    """Close without reading."""


def reset_begun(peer: Peer) -> None:
    peer.connection.recv(1)
    peer.reset()


def no_tls(peer: Peer) -> None:
    """Send other data instead of a TLS handshake."""
    peer.connection.recv(1)
    peer.connection.sendall(b"this is not TLS\r\n" * 10)


# --- After the request was read -------------------------------------------------------------------------------------
def after_request(act: Act) -> Act:
    def read_and_act(peer: Peer) -> None:
        peer.request = _read_request(peer.connection)
        peer.server.requests.append(peer.request)
        act(peer)

    return read_and_act


def answer(status: str, *headers: str, body: str = "") -> Act:
    return answers([(status, headers, body)])


def answers(script: list[tuple[str, tuple[str, ...], str]]) -> Act:
    """Answer the requests of all connections in this order, and repeat the last answer."""
    lines = list(script)

    def write(peer: Peer) -> None:
        status, headers, body = lines.pop(0) if len(lines) > 1 else lines[0]
        content = body.encode()
        head = "\r\n".join([f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(content)}", "Connection: close"])
        peer.connection.sendall(head.encode() + b"\r\n\r\n" + content)

    return after_request(write)


@after_request
def hold(peer: Peer) -> None:
    peer.hold()


@after_request
def cut(peer: Peer) -> None:
    """Close after reading the request: the provider may have accepted the email."""


@after_request
def reset(peer: Peer) -> None:
    peer.reset()


@after_request
def truncate_head(peer: Peer) -> None:
    peer.connection.sendall(b"HTTP/1.1 2")


@after_request
def truncate_body(peer: Peer) -> None:
    peer.connection.sendall(b'HTTP/1.1 202 Accepted\r\nContent-Length: 500\r\n\r\n{"Message')


@after_request
def garbage(peer: Peer) -> None:
    peer.connection.sendall(b"\x00\x01 this is not HTTP \r\n\r\n")


@after_request
def dribble_head(peer: Peer) -> None:
    peer.dribble(b"HTTP/1.1 2")


@after_request
def cut_after_the_status(peer: Peer) -> None:
    peer.connection.sendall(b"HTTP/1.1 202 Accepted\r\nX-Mess")


@after_request
def dribble_after_the_status(peer: Peer) -> None:
    peer.dribble(b"HTTP/1.1 202 Accepted\r\nX-Mess")


@after_request
def dribble_body(peer: Peer) -> None:
    peer.dribble(b'HTTP/1.1 202 Accepted\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n{"MessageId": "')


@after_request
def dribble_chunks(peer: Peer) -> None:
    peer.dribble(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", then=b"1\r\nx\r\n")


@after_request
def echo(peer: Peer) -> None:
    """Refuse, and repeat the whole request: keys, addresses, the email."""
    body = peer.request.replace(b"\r\n", b"  ")
    head = f"HTTP/1.1 400 Bad Request\r\nx-amzn-ErrorType: SG.canary-key\r\nContent-Length: {len(body)}\r\n\r\n"
    peer.connection.sendall(head.encode() + body)


@after_request
def broken_tls(peer: Peer) -> None:
    """Break the TLS stream of an established connection."""
    with socket.socket(fileno=os.dup(peer.connection.fileno())) as below:
        below.sendall(b"no TLS record\r\n" * 10)


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
    )
    while len(body) < length:
        body += _more(connection)
    return head + b"\r\n\r\n" + body


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("the client has ended it")
    return data


@contextmanager
def full_house() -> Iterator[int]:
    """Yield a port that ignores connections, because the queue of the listener is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        yield port
        for one in waiting:
            one.close()
