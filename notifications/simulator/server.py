"""The simulated provider's HTTP server."""

import asyncio
import logging
import signal
from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from notifications.simulator import mailbox
from notifications.simulator.dialects import SendGrid, Ses
from notifications.simulator.dials import Dials
from notifications.simulator.handlers import (
    DialsApi,
    Health,
    Message,
    Messages,
    PostmarkSend,
    SendGridSend,
    SesSend,
    Simulator,
    Stats,
)
from notifications.simulator.journal import Journal

logger = logging.getLogger(__name__)


def application(simulator: Simulator) -> Application:
    own = {"simulator": simulator}
    return Application(
        [
            (r"/v3/mail/send", SendGridSend, own),
            (r"/email", PostmarkSend, own),
            (r"/v2/email/outbound-emails", SesSend, own),
            (r"/healthz", Health, own),
            (r"/api/stats", Stats, own),
            (r"/api/dials", DialsApi, own),
            (r"/api/messages", Messages, own),
            (r"/api/messages/(\d{1,9})", Message, own),
            (r"/", mailbox.Inbox, own),
            (r"/dials", mailbox.TurnDials, own),
            (r"/style.css", mailbox.Style, own),
            (r"/messages/(\d{1,9})", mailbox.ShowMessage, own),
            (r"/messages/(\d{1,9})/html", mailbox.ShowHtml, own),
        ],
        # No access log: it would hold addresses searched for.
        log_function=lambda handler: None,
    )


def serve(folder: Path, host: str, port: int, dials: Dials) -> None:
    """Serve until SIGTERM or SIGINT. Raises OSError if the port is taken."""
    sockets = bind_sockets(port, host)

    async def run() -> None:
        journal = Journal(folder / "journal.jsonl")
        server = HTTPServer(application(Simulator(journal, dials)), max_body_size=max(SendGrid.max_body, Ses.max_body))
        server.add_sockets(sockets)
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        logger.info("the simulator answers on http://%s:%d/ and keeps its journal in %s", host, port, folder)
        await stop.wait()
        server.stop()
        await server.close_all_connections()
        journal.close()

    asyncio.run(run())
