"""An HTTPS server on loopback in place of sns.<region>.amazonaws.com, which records requests."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests.adapters
import trustme
import urllib3.util.connection

Answer = tuple[int, dict[str, str], bytes] | Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Amazon:
    """`answers` has an answer per path; `asked` has the requested paths, `dialled` every host and port."""

    port: int
    answers: dict[str, Answer] = field(default_factory=dict)
    anything_else: Answer = (403, {}, b"<Error><Code>AccessDenied</Code></Error>")
    asked: list[str] = field(default_factory=list)
    dialled: list[tuple[str, int]] = field(default_factory=list)


@contextmanager
def amazon(monkeypatch: Any, folder: Path, host: str) -> Iterator[Amazon]:
    """Redirect host names to the server, and trust its authority."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    authority.cert_pem.write_to_path(folder / "authority.pem")
    server = _Server(("127.0.0.1", 0), _Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.amazon = Amazon(server.server_address[1])

    really = urllib3.util.connection.create_connection

    def dial(address: tuple[str, int], *args: Any, **kwargs: Any) -> Any:
        if address[0] == "127.0.0.1":
            return really(address, *args, **kwargs)
        server.amazon.dialled.append(address)
        return really(("127.0.0.1", server.amazon.port), *args, **kwargs)

    monkeypatch.setattr(urllib3.util.connection, "create_connection", dial)
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(folder / "authority.pem"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.amazon
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    amazon: Amazon

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that hang up or do not trust the server."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        amazon = self.server.amazon
        amazon.asked.append(self.path)
        answer = amazon.answers.get(self.path, amazon.anything_else)
        if callable(answer):
            answer(self)
            return
        status, headers, body = answer
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Log nothing."""


def hang(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(1)


def drip(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(b"x")
        time.sleep(0.02)


def cut(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"-----BEGIN")
    handler.connection.close()
