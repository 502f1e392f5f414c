"""A server that misbehaves on the socket in one chosen way, and counts the requests it was sent."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Misbehaviour = Callable[[socket.socket], None]


def answer(status: str, *headers: str, body: str = "") -> Misbehaviour:
    head = "\r\n".join([f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "Connection: close"])

    def write(connection: socket.socket) -> None:
        connection.sendall(f"{head}\r\n\r\n{body}".encode())

    return write


def say_nothing(connection: socket.socket) -> None:
    connection.settimeout(10)
    # Returns when the client has had enough and closes.
    connection.recv(1)


def cut_off(connection: socket.socket) -> None:
    """Close after the request was read: the provider may have taken the mail."""


def cut_the_answer(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 2")


def garbage(connection: socket.socket) -> None:
    connection.sendall(b"\x00\x01 this is no HTTP \r\n\r\n")


@dataclass
class FaultServer:
    port: int
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def fault_server(misbehave: Misbehaviour) -> Iterator[FaultServer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = FaultServer(listener.getsockname()[1])
        thread = threading.Thread(target=_serve, args=(listener, server, misbehave), daemon=True)
        thread.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def _serve(listener: socket.socket, server: FaultServer, misbehave: Misbehaviour) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            server.requests.append(_read_request(connection))
            try:
                misbehave(connection)
            except OSError:
                continue


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
