"""An SMTP server as a provider, with recipients that are greylisted, full or unknown."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.utils import getaddresses
from weakref import WeakKeyDictionary

from aiosmtpd.smtp import SMTP, Envelope, Session

from devtools.simulator.calls import Call
from devtools.simulator.dialects.files import of_mime
from devtools.simulator.faults import ANSWERED, UNREAD, Fault
from devtools.simulator.journal import Entry
from devtools.simulator.simulation import SMTP as NAME
from devtools.simulator.simulation import Part, Simulator

OK = "250 OK"
SUSPENDED = "550 5.7.1 Your account is suspended; relaying denied"
# The reply of a recipient's server, by the start of the address's local part.
RECIPIENTS = {
    "full": "452 4.2.2 The mailbox is full",
    "unknown": "550 5.1.1 The mailbox does not exist",
}
GREYLISTED = "450 4.7.1 Greylisted, try again later"
REFUSED = "refused"
MAX_BYTES = 30 * 1024 * 1024


@dataclass
class Greylist:
    """Refuses an address for some seconds after its first email."""

    first_seen: dict[str, float] = field(default_factory=dict)

    def refuses(self, address: str, *, seconds: float, now: float) -> bool:
        return now - self.first_seen.setdefault(address.lower(), now) < seconds


class Server(SMTP):
    """Notices a client that leaves without a sign that it has read the answer to its email.

    A client that has read it sends at least QUIT.
    """

    event_handler: "Handler"
    is_answered = False

    def data_received(self, data: bytes) -> None:
        self.is_answered = False
        super().data_received(data)

    def connection_lost(self, error: Exception | None) -> None:
        if self.is_answered and self.session is not None:
            self.event_handler.simulator.hung_up(_port(self.session))
        super().connection_lost(error)


class Handler:
    """aiosmtpd's hooks: each returns the reply to one command."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.part: Part = simulator.parts[NAME]
        self.greylist = Greylist()
        # The fault of the email in progress on a connection.
        self.faults: WeakKeyDictionary[Session, Fault] = WeakKeyDictionary()

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.faults[session] = fault = self.part.next_fault()
        if fault is Fault.STATUS:
            return self.refuse(session, "421 4.3.2 The service is not available")
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return OK

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.faults[session] is Fault.SUSPENDED:
            return self.refuse(session, SUSPENDED, to=address)
        if reply := self.recipient_reply(address):
            return self.refuse(session, reply, to=address)
        envelope.rcpt_tos.append(address)
        return OK

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: Server, session: Session, envelope: Envelope
    ) -> str:
        fault = self.faults[session]
        call = self.begin(session)
        self.simulator.calls.keep(call, _content(envelope), [envelope.mail_from or "", *envelope.rcpt_tos])
        self.simulator.in_flight += 1
        try:
            entries = _entries(envelope)
            call.to, call.subject, call.metadata = entries[0].to, entries[0].subject, entries[0].metadata
            await asyncio.sleep(self.part.controls.latency_ms / 1000)
            has_left = server.transport is None or server.transport.is_closing()
            answered = UNREAD if has_left else ANSWERED.get(fault, ANSWERED[Fault.CUT_AFTER])
            if fault is not Fault.CUT_BEFORE:
                started = call.started_at
                call.emails = self.simulator.accept(
                    self.part, [replace(entry, request_started_at=started, answered=answered) for entry in entries]
                )
            call.end(answered)
            server.is_answered = True
            if fault is not Fault.NONE and server.transport is not None:
                server.transport.close()
            return OK
        finally:
            self.simulator.in_flight -= 1

    def recipient_reply(self, address: str) -> str:
        # "" if the recipient's server accepts the email.
        local = address.lower()
        if local.startswith("greylisted"):
            seconds = self.part.controls.greylist_s
            return GREYLISTED if self.greylist.refuses(local, seconds=seconds, now=time.monotonic()) else ""
        return next((reply for start, reply in RECIPIENTS.items() if local.startswith(start)), "")

    def refuse(self, session: Session, reply: str, *, to: str = "") -> str:
        call = self.begin(session)
        call.to = to
        call.end(REFUSED)
        self.part.refused += 1
        return reply

    def begin(self, session: Session) -> Call:
        return self.simulator.calls.begin(NAME, _port(session))


def protocol(simulator: Simulator) -> Callable[[], SMTP]:
    # For `loop.create_server`.
    handler = Handler(simulator)
    return lambda: Server(handler, data_size_limit=MAX_BYTES, hostname="simulator.invalid", enable_SMTPUTF8=True)


def _port(session: Session) -> int:
    return int((session.peer or ("", 0))[1])


def _content(envelope: Envelope) -> bytes:
    content = envelope.content
    return content.encode() if isinstance(content, str) else content or b""


def _entries(envelope: Envelope) -> list[Entry]:
    # One per recipient; the email is read once, because it may have many. SMTP has no metadata: the message's id is the
    # left half of the Message-ID.
    message = message_from_bytes(_content(envelope), policy=policy.default)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    message_id = str(message.get("Message-ID", ""))
    names = {address: name for name, address in getaddresses([str(message.get("To", ""))])}
    entry = Entry(
        provider=NAME,
        provider_message_id=message_id,
        to="",
        to_name="",
        sender=str(message.get("From", "")),
        subject=str(message.get("Subject", "")),
        text=text.get_content() if text else "",
        html=html.get_content() if html else "",
        headers={name: str(value) for name, value in message.items()},
        metadata={"mailroom_message_id": message_id.strip("<>").partition("@")[0], "mailroom_attempt": ""},
        **of_mime(message),
    )
    return [replace(entry, to=address, to_name=names.get(address, "")) for address in envelope.rcpt_tos]
