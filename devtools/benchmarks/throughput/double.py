"""A double of SendGrid's `/v3/mail/send` on loopback: checks each request, answers after a delay, counts.

One process, no framework: `python -m devtools.benchmarks.throughput.double PORT`. `PUT /control` starts a new count,
`GET /count` returns how many emails were accepted, `GET /results` everything. A request with several personalizations
counts as that many emails.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

HOST = "127.0.0.1"
API_KEY = "SG.benchmark"
SEND = "/v3/mail/send"
TYPES = ["text/plain", "text/html"]
# Where the sender's id of a message is, in the `custom_args` of its personalization.
ID_KEY = "mailroom_message_id"
# SendGrid's limits of a request.
MOST_PERSONALIZATIONS, MOST_SUBSTITUTED_BYTES = 1000, 10_000
REASONS = {200: "OK", 202: "Accepted", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found"}


class RejectedError(Exception):
    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status


@dataclass
class Book:
    """What the double has seen. `accepted`: the time of the answer, by recipient."""

    delay_s: float = 0.0
    requests: int = 0
    most_open: int = 0
    accepted: dict[str, float] = field(default_factory=dict)
    duplicates: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)


def recipients(request: dict[str, Any]) -> list[str]:
    """Return the recipients of a request, one for each personalization. Raises RejectedError."""
    try:
        personalizations = request["personalizations"]
        found = [_only_recipient(each) for each in personalizations]
        parts = [request["subject"], *(part["value"] for part in request["content"])]
        complete = all((request["from"]["email"], *parts))
        types = [part["type"] for part in request["content"]]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RejectedError(400, f"shape: {type(error).__name__} {error}") from error
    if not found or not complete or types != TYPES:
        raise RejectedError(400, "incomplete")
    if len(found) > 1:
        _check_batch(personalizations, "\0".join(parts))
    return found


def _only_recipient(personalization: dict[str, Any]) -> str:
    (recipient,) = personalization["to"]
    if "@" not in recipient["email"]:
        raise ValueError("no address")
    return str(recipient["email"])


def _check_batch(personalizations: list[dict[str, Any]], content: str) -> None:
    """Check that each recipient has a separate id, and a text for every token that occurs. Raises RejectedError."""
    ids = {each.get("custom_args", {}).get(ID_KEY) for each in personalizations}
    if None in ids or len(ids) < len(personalizations):
        raise RejectedError(400, f"batch: not every personalization has an own {ID_KEY}")
    if len(personalizations) > MOST_PERSONALIZATIONS:
        raise RejectedError(400, "batch: too many personalizations")
    substitutions = [each.get("substitutions", {}) for each in personalizations]
    tokens = substitutions[0].keys()
    if any(each.keys() != tokens for each in substitutions):
        raise RejectedError(400, "batch: recipients have different tokens")
    # Those of a separate subject are replaced already.
    if "subject" not in personalizations[0] and any(token not in content for token in tokens):
        raise RejectedError(400, "batch: a token is not in the content")
    for each in substitutions:
        if not all(isinstance(text, str) for text in each.values()):
            raise RejectedError(400, "batch: a substitution is not a text")
        if sum(len(token) + len(text.encode()) for token, text in each.items()) > MOST_SUBSTITUTED_BYTES:
            raise RejectedError(400, "batch: substitutions are too long")


class Connection(asyncio.Protocol):
    """One HTTP/1.1 connection; requests need a Content-Length."""

    open_calls = 0

    def __init__(self, books: list[Book]) -> None:
        self._books = books
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - it is a TCP server
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].decode("latin-1")
            first, *lines = head.split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            whole = end + 4 + int(headers.get("content-length", "0"))
            if len(self._buffer) < whole:
                return
            body, self._buffer = self._buffer[end + 4 : whole], self._buffer[whole:]
            method, path, _ = first.split(" ")
            self._respond(f"{method} {path}", headers, body)

    def _respond(self, call: str, headers: dict[str, str], body: bytes) -> None:
        if call == f"POST {SEND}":
            self._send(headers, body)
        elif call == "PUT /control":
            self._books[0] = Book(delay_s=json.loads(body)["delay_ms"] / 1000)
            self._answer(200, b"{}")
        elif call == "GET /count":
            self._answer(200, b"%d" % len(self._books[0].accepted))
        elif call == "GET /results":
            self._answer(200, json.dumps(vars(self._books[0])).encode())
        else:
            self._answer(404, b"{}")

    def _send(self, headers: dict[str, str], body: bytes) -> None:
        book = self._books[0]
        book.requests += 1
        try:
            found = self._checked(headers, body)
        except RejectedError as error:
            book.rejected[str(error)] += 1
            self._answer(error.status, json.dumps({"errors": [{"message": str(error)}]}).encode())
            return
        Connection.open_calls += 1
        book.most_open = max(book.most_open, Connection.open_calls)
        if book.delay_s:
            asyncio.get_running_loop().call_later(book.delay_s, self._accept, book, found)
        else:
            self._accept(book, found)

    def _checked(self, headers: dict[str, str], body: bytes) -> list[str]:
        if headers.get("authorization") != f"Bearer {API_KEY}":
            raise RejectedError(401, "authorization")
        try:
            request = json.loads(body)
        except ValueError as error:
            raise RejectedError(400, "not JSON") from error
        return recipients(request)

    def _accept(self, book: Book, found: list[str]) -> None:
        Connection.open_calls -= 1
        now = time.time()
        for recipient in found:
            if recipient in book.accepted:
                book.duplicates[recipient] += 1
            else:
                book.accepted[recipient] = now
        self._answer(202, b"", f"X-Message-Id: double-{book.requests}\r\n")

    def _answer(self, status: int, body: bytes, header: str = "") -> None:
        assert self._transport is not None  # noqa: S101 - data came through it
        head = f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: application/json\r\n{header}"
        self._transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)


async def serve(port: int) -> None:
    books = [Book()]
    server = await asyncio.get_running_loop().create_server(lambda: Connection(books), HOST, port, backlog=1024)
    async with server:
        print("ready", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
