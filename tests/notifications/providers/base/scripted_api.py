"""An HTTP server on loopback with the answers of a test, which records requests."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Asked:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: str


@dataclass
class ScriptedApi:
    """`answers` maps "GET /path" to a status and a body (text, or data for JSON), or to a list of them."""

    answers: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def answer(self, asked: Asked) -> tuple[int, Any]:
        self.asked.append(asked)
        found: Any = self.answers.get(f"{asked.method} {asked.path}", (404, {}))
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        status, said = found
        return int(status), said

    def paths(self) -> list[str]:
        return [f"{asked.method} {asked.path}" for asked in self.asked]


@contextmanager
def scripted_api(tls: ssl.SSLContext | None = None, *, keeps: bool = False) -> Iterator[ScriptedApi]:
    """Run the server. With `keeps` a connection stays open for the next request."""
    api = ScriptedApi()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(api, keeps=keeps)) as server:
        api.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join(5)


def _handler(api: ScriptedApi, *, keeps: bool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1" if keeps else "HTTP/1.0"

        def _any(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            status, said = api.answer(Asked(self.command, parts.path, parts.query, dict(self.headers.items()), body))
            content = (said if isinstance(said, str) else json.dumps(said)).encode()
            self.send_response(status)
            for name, value in api.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _any  # noqa: N815 - http.server's own

        def log_message(self, *arguments: Any) -> None:
            """Log nothing."""

    return Handler
