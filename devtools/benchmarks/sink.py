"""A provider's send endpoint that accepts everything immediately and records when each call began."""

import asyncio
import json
import threading
import time

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from devtools.stack.ports import HOST


class Sink:
    """Implements the part of SendGrid's API that its backend uses. `calls`: message ids and times, in order."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, float]] = []
        self._sockets = bind_sockets(0, HOST)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._sockets[0].getsockname()[1]}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = HTTPServer(
            Application([(r"/simulator/v3/mail/send", _Send, {"calls": self.calls})], log_function=_say_nothing)
        )
        server.add_sockets(self._sockets)
        self._loop.run_forever()


class _Send(RequestHandler):
    def initialize(self, calls: list[tuple[str, float]]) -> None:
        self.calls = calls
        self.began = time.time()

    def post(self) -> None:
        body = json.loads(self.request.body)
        metadata = {**body.get("custom_args", {}), **body["personalizations"][0].get("custom_args", {})}
        self.calls.append((metadata["mailroom_message_id"], self.began))
        self.set_status(202)
        self.set_header("X-Message-Id", f"sink-{len(self.calls)}")


def _say_nothing(handler: RequestHandler) -> None:
    pass
