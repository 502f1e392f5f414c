"""A small SMTP server that writes down what it accepts. Independent of the code under test."""

import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any, Self

HOST = "127.0.0.1"
#: The wait before each answer, so that a worker is killed during calls.
ANSWER_S = 0.1
_ADDRESS = re.compile(rb"<([^>]*)>")
_ID = re.compile(r"<([^@>]+)@")


@dataclass(frozen=True, kw_only=True)
class JournalEntry:
    """One accepted copy of a message, for one recipient. `accepted_at` is monotonic."""

    message_id: str
    address: str
    accepted_at: float


class Journal(ThreadingTCPServer):
    """Accepts every email while its block is open."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__((HOST, 0), _Session)
        self.entries: list[JournalEntry] = []
        self._calls = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, name="journal", daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        # The connections of a killed worker are reset.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        return f"smtp://{HOST}:{self.server_address[1]}"

    @property
    def is_in_call(self) -> bool:
        return self._calls > 0

    @contextmanager
    def call(self) -> Iterator[None]:
        with self._lock:
            self._calls += 1
        try:
            yield
        finally:
            with self._lock:
                self._calls -= 1

    def accept(self, content: bytes, addresses: list[str]) -> None:
        found = _ID.search(str(message_from_bytes(content).get("Message-ID", "")))
        message_id = found[1] if found else ""
        now = time.monotonic()
        self.entries += [
            JournalEntry(message_id=message_id, address=address.lower(), accepted_at=now) for address in addresses
        ]


class _Session(StreamRequestHandler):
    server: Journal

    def handle(self) -> None:
        addresses: list[str] = []
        self._answer("220 journal")
        while line := self.rfile.readline():
            verb = line.strip().upper()
            if verb.startswith(b"MAIL"):
                addresses = []
            elif verb.startswith(b"RCPT") and (found := _ADDRESS.search(line)):
                addresses.append(found[1].decode())
            elif verb == b"DATA":
                with self.server.call():
                    self._receive(addresses)
                continue
            self._answer("221 bye" if verb == b"QUIT" else "250 ok")

    def _receive(self, addresses: list[str]) -> None:
        self._answer("354 go ahead")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                # The connection ended before the email did.
                return
            lines.append(line.removeprefix(b"."))
        self.server.accept(b"".join(lines), addresses)
        time.sleep(ANSWER_S)
        self._answer("250 accepted")

    def _answer(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())
