"""The simulated providers' HTTP server."""

import asyncio
import logging
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tornado.http1connection import HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from devtools.simulator import account, handlers, mailbox, smtp
from devtools.simulator.controls import Controls
from devtools.simulator.dialects.postmark import PostmarkBatch
from devtools.simulator.dialects.ses_bulk import SesBulk
from devtools.simulator.journal import Journal
from devtools.simulator.reporter import Reporter
from devtools.simulator.reports.postmark import PostmarkReports
from devtools.simulator.reports.sendgrid import SendGridReports
from devtools.simulator.reports.ses import SesReports
from devtools.simulator.send import Send, caller_port
from devtools.simulator.signing import kept_keys
from devtools.simulator.simulation import DIALECTS, Simulator

logger = logging.getLogger(__name__)

SENDGRID_LISTS = "|".join(account.SENDGRID_LISTS)


@dataclass(frozen=True, kw_only=True)
class Webhooks:
    """Where to post reports: `target` with the provider's name appended. `keys`: a folder.

    `postmark_auth`: user:password.
    """

    target: str
    keys: Path
    postmark_auth: str = ""

    def reporter(self, simulator: Simulator) -> Reporter:
        keys = kept_keys(self.keys)
        reports = {
            "simulator": SendGridReports(keys),
            "sendgrid": SendGridReports(keys),
            "ses": SesReports(keys),
            "postmark": PostmarkReports(self.postmark_auth),
        }
        return Reporter(self.target, reports, simulator.controls_of)


class Server(HTTPServer):
    """Notifies the simulator of callers that reset their connection."""

    simulator: Simulator

    def on_close(self, server_conn: object) -> None:
        super().on_close(server_conn)
        if isinstance(server_conn, HTTP1ServerConnection) and isinstance(server_conn.stream.error, ConnectionError):
            self.simulator.hung_up(caller_port(server_conn.context))


def application(simulator: Simulator) -> Application:
    own: dict[str, Any] = {"simulator": simulator}
    ses, sendgrid, postmark, itself = ({**own, "part": name} for name in ("ses", "sendgrid", "postmark", "simulator"))
    return Application(
        [
            (r"/v3/mail/send", Send, sendgrid),
            (r"/simulator/v3/mail/send", Send, itself),
            (r"/email", Send, postmark),
            (r"/email/batch", Send, {**postmark, "dialect": PostmarkBatch()}),
            (r"/v2/email/outbound-emails", Send, ses),
            (r"/v2/email/outbound-bulk-emails", Send, {**ses, "dialect": SesBulk()}),
            (r"/v2/email/account", account.SesAccount, ses),
            (r"/v2/email/suppression/addresses/([^/]+)", account.SesSuppressed, ses),
            (rf"/v3/suppression/({SENDGRID_LISTS})/([^/]+)", account.SendGridSuppressed, sendgrid),
            (rf"/simulator/v3/suppression/({SENDGRID_LISTS})/([^/]+)", account.SendGridSuppressed, itself),
            (r"/message-streams/([^/]+)/suppressions/dump", account.PostmarkDump, postmark),
            (r"/message-streams/([^/]+)/suppressions/delete", account.PostmarkSuppressed, postmark),
            (r"/healthz", handlers.Health, own),
            (r"/api/stats", handlers.Stats, own),
            (r"/api/controls(?:/(\w+))?", handlers.ControlsApi, own),
            (r"/api/calls", handlers.CallsApi, own),
            (r"/api/messages", handlers.Messages, own),
            (r"/api/messages/(\d{1,9})", handlers.Message, own),
            (r"/", mailbox.Inbox, own),
            (r"/controls", mailbox.ControlsPage, own),
            (r"/style.css", mailbox.Style, own),
            (r"/messages/(\d{1,9})", mailbox.ShowMessage, own),
            (r"/messages/(\d{1,9})/html", mailbox.ShowHtml, own),
        ],
        # No access log, because it would contain addresses.
        log_function=lambda handler: None,
    )


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where the simulator listens. Without `smtp_port`, it has no SMTP server."""

    host: str
    port: int
    smtp_port: int = 0


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """What the simulator keeps: the journal in `folder`, and the bodies of calls in memory, if asked for."""

    folder: Path
    bodies: bool = False


def serve(keeping: Keeping, address: Address, controls: Controls, webhooks: Webhooks | None = None) -> None:
    """Serve until SIGTERM or SIGINT. Raises OSError if a port is taken."""
    sockets = bind_sockets(address.port, address.host)
    smtp_sockets = bind_sockets(address.smtp_port, address.host) if address.smtp_port else []

    async def run() -> None:
        journal = Journal(keeping.folder / "journal.jsonl")
        simulator = Simulator(journal, controls, keep_bodies=keeping.bodies)
        if webhooks:
            simulator.reporter = webhooks.reporter(simulator)
        server = Server(application(simulator), max_body_size=max(dialect.max_body for dialect in DIALECTS))
        server.simulator = simulator
        server.add_sockets(sockets)
        for smtp_socket in smtp_sockets:
            await asyncio.get_running_loop().create_server(smtp.protocol(simulator), sock=smtp_socket)
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        logger.info(
            "the simulator is at http://%s:%d/ and keeps its journal in %s", address.host, address.port, keeping.folder
        )
        await stop.wait()
        server.stop()
        simulator.held.end()
        await server.close_all_connections()
        if simulator.reporter:
            simulator.reporter.close()
        journal.close()

    asyncio.run(run())
