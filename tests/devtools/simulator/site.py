"""A site that receives reports, records them and answers as scripted by a test."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Posted:
    path: str
    headers: Message
    body: bytes
    at: float

    @property
    def provider(self) -> str:
        return self.path.split("/")[2]

    def events(self) -> list[dict[str, Any]]:
        """Return the events of a request as a list, for every provider."""
        read = json.loads(self.body)
        if isinstance(read, list):
            return read
        return [json.loads(read["Message"]) if "Message" in read else read]


@dataclass
class Site:
    """Responds with each of `statuses`, then with 200. None: disconnects without a response."""

    port: int
    statuses: list[int | None] = field(default_factory=list)
    posts: list[Posted] = field(default_factory=list)
    answer_s: float = 0.0
    open: int = 0
    most_open: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/webhooks/"

    def events(self, provider: str = "") -> list[dict[str, Any]]:
        return [event for post in self.posts if provider in {"", post.provider} for event in post.events()]

    def clear(self) -> None:
        self.posts.clear()
        self.statuses.clear()


@contextmanager
def listening(port: int = 0) -> Iterator[Site]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                site.open += 1
                site.most_open = max(site.most_open, site.open)
                site.posts.append(Posted(self.path, self.headers, body, time.monotonic()))
                status = site.statuses.pop(0) if site.statuses else 200
            time.sleep(site.answer_s)
            with lock:
                site.open -= 1
            if status is not None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        site = Site(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join(5)
