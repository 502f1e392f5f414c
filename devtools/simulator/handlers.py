"""What the simulator answers to programs that look into it and turn its dials, and the manners of all its answers."""

import dataclasses
import json
from http import HTTPStatus
from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

from devtools.simulator.controls import BadDialError
from devtools.simulator.journal import Entry
from devtools.simulator.simulation import HttpPart, Simulator

SUMMARY_LEAVES_OUT = ("text", "html", "headers")
MOST_LISTED = 100_000
OWN_NAMES = {"127.0.0.1", "localhost", "::1", "[::1]"}


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


class PartHandler(Handler):
    """Speaks for one provider."""

    def initialize(self, simulator: Simulator, part: str = "") -> None:
        super().initialize(simulator)
        self.part: HttpPart = simulator.http_parts[part]


class Health(Handler):
    def get(self) -> None:
        self.finish("ok\n")


class Stats(Handler):
    def get(self) -> None:
        self.finish(self.simulator.stats())


class Messages(Handler):
    """What was accepted, newest first: ?to= &subject= &provider= &after=SEQ &limit= &bodies=1."""

    def get(self) -> None:
        try:
            after, limit = int(self.get_argument("after", "0")), int(self.get_argument("limit", "100"))
        except ValueError:
            return self.refuse(HTTPStatus.BAD_REQUEST, "after and limit are whole numbers.")
        found = self.simulator.journal.find(
            to=self.get_argument("to", ""),
            subject=self.get_argument("subject", ""),
            provider=self.get_argument("provider", ""),
            after=max(after, 0),
        )
        shown = found[: max(0, min(limit, MOST_LISTED))]
        whole = self.get_argument("bodies", "") == "1"
        self.finish({"count": len(found), "messages": [_summary(entry, whole=whole) for entry in shown]})
        return None


class Message(Handler):
    """One mail, and what was reported of it since this process was started."""

    def get(self, seq: str) -> None:
        entry = self.simulator.journal.get(int(seq))
        if entry is None:
            return self.refuse(HTTPStatus.NOT_FOUND, f"There is no message {seq}.")
        self.finish({**_summary(entry, whole=True), "reported": self.simulator.told(entry.seq)})
        return None


class CallsApi(Handler):
    """Which calls wanted a mail sent, oldest first: ?after=SEQ &limit= (the latest of them)."""

    def get(self) -> None:
        try:
            after, limit = int(self.get_argument("after", "0")), int(self.get_argument("limit", "100"))
        except ValueError:
            return self.refuse(HTTPStatus.BAD_REQUEST, "after and limit are whole numbers.")
        found = self.simulator.calls.after(after, max(0, min(limit, MOST_LISTED)))
        self.finish({"calls": [dataclasses.asdict(call) for call in found]})
        return None


class DialsApi(Handler):
    """/api/dials: all providers at once (the simulator's own stand for all); /api/dials/NAME: one."""

    def get(self, provider: str = "") -> None:
        parts = self.simulator.parts
        if provider and provider not in parts:
            return self.refuse(HTTPStatus.NOT_FOUND, f"There is no provider {provider!r}.")
        if provider:
            self.finish(parts[provider].dials.as_dict())
        else:
            each = {name: part.dials.as_dict() for name, part in parts.items()}
            self.finish({**each["simulator"], "providers": each})
        return None

    def put(self, provider: str = "") -> None:
        if not same_origin(self.request):
            return self.refuse(HTTPStatus.FORBIDDEN, "Another site's page may not turn the dials.")
        try:
            values = json.loads(self.request.body)
            if not isinstance(values, dict):
                return self.refuse(HTTPStatus.BAD_REQUEST, "Send a JSON object of dials.")
            self.simulator.turn(values, provider)
        except BadDialError as error:
            return self.refuse(HTTPStatus.BAD_REQUEST, str(error))
        except ValueError:
            return self.refuse(HTTPStatus.BAD_REQUEST, "Send a JSON object of dials.")
        return self.get(provider)


def same_origin(request: HTTPServerRequest) -> bool:
    """False for what a page of another site makes a browser send; programs send no Origin."""
    origin = request.headers.get("Origin") or request.headers.get("Referer")
    return origin is None or urlsplit(origin).netloc == request.host


def _summary(entry: Entry, *, whole: bool) -> dict[str, object]:
    data = dataclasses.asdict(entry)
    return data if whole else {name: value for name, value in data.items() if name not in SUMMARY_LEAVES_OUT}
