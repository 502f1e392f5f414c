"""The simulator's API: journal, calls, counters and controls. Also the base of all handlers."""

import dataclasses
import json
from http import HTTPStatus
from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

from devtools.simulator.controls import BadControlError
from devtools.simulator.journal import Entry
from devtools.simulator.simulation import HttpPart, Simulator

SUMMARY_LEAVES_OUT = ("text", "html", "headers")
MOST_LISTED = 100_000
OWN_NAMES = {"127.0.0.1", "localhost", "::1", "[::1]"}
WHOLE_NUMBERS = "after and limit must be whole numbers."
FOREIGN_PAGE = "Pages of other sites cannot change the controls."
NOT_AN_OBJECT = "Send a JSON object with the controls."


class Handler(RequestHandler):
    """The base of all handlers: no caching, no content sniffing, errors as JSON."""

    def initialize(self, simulator: Simulator) -> None:
        self.simulator = simulator

    def prepare(self) -> None:
        # DNS rebinding: another site could point its name at this address and read the emails with their links.
        if self.request.host_name not in OWN_NAMES:
            self.refuse(HTTPStatus.FORBIDDEN, "Use the address 127.0.0.1 or localhost.")

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")

    def refuse(self, status: int, sentence: str) -> None:
        self.set_status(status)
        self.finish({"error": sentence})


class PartHandler(Handler):
    """The base of handlers for one provider."""

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
    """Accepted emails, newest first: ?to= &subject= &provider= &after=SEQ &limit= &bodies=1."""

    def get(self) -> None:
        try:
            after, limit = int(self.get_argument("after", "0")), int(self.get_argument("limit", "100"))
        except ValueError:
            return self.refuse(HTTPStatus.BAD_REQUEST, WHOLE_NUMBERS)
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
    """One accepted email, and its reports since this process started."""

    def get(self, seq: str) -> None:
        entry = self.simulator.journal.get(int(seq))
        if entry is None:
            return self.refuse(HTTPStatus.NOT_FOUND, f"There is no message {seq}.")
        self.finish({**_summary(entry, whole=True), "reported": self.simulator.reported(entry.seq)})
        return None


class CallsApi(Handler):
    """The latest calls that asked to send, oldest first: ?after=SEQ &limit=."""

    def get(self) -> None:
        try:
            after, limit = int(self.get_argument("after", "0")), int(self.get_argument("limit", "100"))
        except ValueError:
            return self.refuse(HTTPStatus.BAD_REQUEST, WHOLE_NUMBERS)
        found = self.simulator.calls.after(after, max(0, min(limit, MOST_LISTED)))
        self.finish({"calls": [dataclasses.asdict(call) for call in found]})
        return None


class ControlsApi(Handler):
    """/api/controls: those of all providers, with the values of "simulator" on top; /api/controls/NAME: of one."""

    def get(self, provider: str = "") -> None:
        parts = self.simulator.parts
        if provider and provider not in parts:
            return self.refuse(HTTPStatus.NOT_FOUND, f"There is no provider {provider!r}.")
        if provider:
            self.finish(parts[provider].controls.as_dict())
        else:
            each = {name: part.controls.as_dict() for name, part in parts.items()}
            self.finish({**each["simulator"], "providers": each})
        return None

    def put(self, provider: str = "") -> None:
        if not same_origin(self.request):
            return self.refuse(HTTPStatus.FORBIDDEN, FOREIGN_PAGE)
        try:
            values = json.loads(self.request.body)
            if not isinstance(values, dict):
                return self.refuse(HTTPStatus.BAD_REQUEST, NOT_AN_OBJECT)
            self.simulator.set_controls(values, provider)
        except BadControlError as error:
            return self.refuse(HTTPStatus.BAD_REQUEST, str(error))
        except ValueError:
            return self.refuse(HTTPStatus.BAD_REQUEST, NOT_AN_OBJECT)
        return self.get(provider)


def same_origin(request: HTTPServerRequest) -> bool:
    # A browser sends the origin of another site's page. Programs send none.
    origin = request.headers.get("Origin") or request.headers.get("Referer")
    return origin is None or urlsplit(origin).netloc == request.host


def _summary(entry: Entry, *, whole: bool) -> dict[str, object]:
    data = dataclasses.asdict(entry)
    return data if whole else {name: value for name, value in data.items() if name not in SUMMARY_LEAVES_OUT}
