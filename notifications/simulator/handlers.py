"""What the simulated provider answers to programs: its send endpoints and its JSON API."""

import asyncio
import dataclasses
import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

from notifications.simulator.dialects import Answer, Postmark, RefusedError, SendGrid, Ses
from notifications.simulator.dials import BadDialError, Dials
from notifications.simulator.journal import Entry, Journal

SUMMARY_LEAVES_OUT = ("text", "html", "headers")
MOST_LISTED = 100_000
OWN_NAMES = {"127.0.0.1", "localhost", "::1", "[::1]"}


@dataclass
class Simulator:
    """One simulated provider: what it has taken, how it behaves, what it is doing."""

    journal: Journal
    dials: Dials
    refused: int = 0
    in_flight: int = 0

    def must_fail(self) -> bool:
        if self.dials.fail_next:
            self.dials = self.dials.turned({"fail_next": self.dials.fail_next - 1})
            return True
        return random.random() < self.dials.error_rate  # noqa: S311 - a dial, not a secret

    def turn(self, values: dict[str, object]) -> None:
        self.dials = self.dials.turned(values)

    def stats(self) -> dict[str, object]:
        ids = {entry.metadata.get("mailroom_message_id") for entry in self.journal.entries} - {None}
        return {
            "accepted": len(self.journal.entries),
            "refused": self.refused,
            "by_provider": dict(self.journal.by_provider()),
            "distinct_message_ids": len(ids),
            "in_flight": self.in_flight,
        }


class Handler(RequestHandler):
    """The simulator's own manners: nothing cached, nothing sniffed, errors in one sentence."""

    def initialize(self, simulator: Simulator) -> None:
        self.simulator = simulator

    def prepare(self) -> None:
        # A page of another site could give its own name our address and read the mail, links and all.
        if self.request.host_name not in OWN_NAMES:
            self.refuse(HTTPStatus.FORBIDDEN, "This address is for the machine itself.")

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")

    def refuse(self, status: int, sentence: str) -> None:
        self.set_status(status)
        self.finish({"error": sentence})


class Send(Handler):
    """A provider's send endpoint: waits as long as the dial says, then takes the mail or refuses it."""

    dialect: SendGrid | Postmark | Ses

    async def post(self) -> None:
        started = datetime.now(UTC).isoformat(timespec="microseconds")
        self.simulator.in_flight += 1
        try:
            fails = self.simulator.must_fail()
            await asyncio.sleep(self.simulator.dials.latency_ms / 1000)
            self.reply(self.refusal() if fails else self.take(started))
        finally:
            self.simulator.in_flight -= 1

    def refusal(self) -> Answer:
        self.simulator.refused += 1
        return self.dialect.error(self.simulator.dials.error_status)

    def take(self, started: str) -> Answer:
        if len(self.request.body) > self.dialect.max_body:
            return self.dialect.error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            entries = self.dialect.read(self.request.body, self.request.headers)
        except RefusedError as refusal:
            self.simulator.refused += 1
            return refusal.answer
        self.simulator.journal.accept([dataclasses.replace(entry, request_started_at=started) for entry in entries])
        return self.dialect.accepted(entries)

    def reply(self, answer: Answer) -> None:
        self.set_status(answer.status)
        for name, value in answer.headers.items():
            self.set_header(name, value)
        self.finish(answer.body)


class SendGridSend(Send):
    dialect = SendGrid()


class PostmarkSend(Send):
    dialect = Postmark()


class SesSend(Send):
    dialect = Ses()


class Health(Handler):
    def get(self) -> None:
        self.finish("ok\n")


class Stats(Handler):
    def get(self) -> None:
        self.finish(self.simulator.stats())


class Messages(Handler):
    """What was accepted, newest first: ?to= &subject= &after=SEQ &limit= &bodies=1."""

    def get(self) -> None:
        try:
            after, limit = int(self.get_argument("after", "0")), int(self.get_argument("limit", "100"))
        except ValueError:
            return self.refuse(HTTPStatus.BAD_REQUEST, "after and limit are whole numbers.")
        found = self.simulator.journal.find(
            to=self.get_argument("to", ""), subject=self.get_argument("subject", ""), after=max(after, 0)
        )
        shown = found[: max(0, min(limit, MOST_LISTED))]
        whole = self.get_argument("bodies", "") == "1"
        self.finish({"count": len(found), "messages": [_summary(entry, whole=whole) for entry in shown]})
        return None


class Message(Handler):
    def get(self, seq: str) -> None:
        entry = self.simulator.journal.get(int(seq))
        if entry is None:
            return self.refuse(HTTPStatus.NOT_FOUND, f"There is no message {seq}.")
        self.finish(_summary(entry, whole=True))
        return None


class DialsApi(Handler):
    def get(self) -> None:
        self.finish(self.simulator.dials.as_dict())

    def put(self) -> None:
        if not same_origin(self.request):
            return self.refuse(HTTPStatus.FORBIDDEN, "Another site's page may not turn the dials.")
        try:
            values = json.loads(self.request.body)
            if not isinstance(values, dict):
                return self.refuse(HTTPStatus.BAD_REQUEST, "Send a JSON object of dials.")
            self.simulator.turn(values)
        except BadDialError as error:
            return self.refuse(HTTPStatus.BAD_REQUEST, str(error))
        except ValueError:
            return self.refuse(HTTPStatus.BAD_REQUEST, "Send a JSON object of dials.")
        return self.get()


def same_origin(request: HTTPServerRequest) -> bool:
    """False for what a page of another site makes a browser send; programs send no Origin."""
    origin = request.headers.get("Origin") or request.headers.get("Referer")
    return origin is None or urlsplit(origin).netloc == request.host


def _summary(entry: Entry, *, whole: bool) -> dict[str, object]:
    data = dataclasses.asdict(entry)
    return data if whole else {name: value for name, value in data.items() if name not in SUMMARY_LEAVES_OUT}
