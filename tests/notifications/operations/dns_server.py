"""A DNS server on a loopback port, over UDP, with the records of a test."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dns import flags, message, rcode, rdatatype, rrset
from dns.name import Name
from dns.resolver import Resolver

PATIENCE_S = 10


@dataclass
class DnsServer:
    """`records`: TXT texts by name. `deaf`: it never answers. `broken`: it answers SERVFAIL.

    `closed`: it knows no name, as in a network without internet access.
    """

    records: dict[str, list[str]] = field(default_factory=dict)
    deaf: bool = False
    broken: bool = False
    closed: bool = False
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def resolver(self) -> Resolver:
        made = Resolver(configure=False)
        made.nameservers = ["127.0.0.1"]
        made.port = self.port
        return made

    def answer(self, packet: bytes) -> bytes:
        question = message.from_wire(packet)
        reply = message.make_response(question)
        reply.flags |= flags.RA
        wanted = question.question[0]
        self.asked.append(wanted.name.to_text(omit_final_dot=True))
        if self.broken:
            reply.set_rcode(rcode.SERVFAIL)
        elif self.closed:
            reply.set_rcode(rcode.NXDOMAIN)
        elif wanted.rdtype == rdatatype.NS:
            reply.answer.append(rrset.from_text(wanted.name, 60, "IN", "NS", "a.nic.example."))
        else:
            self.add_texts(reply, wanted.name)
        return reply.to_wire()

    def add_texts(self, reply: message.Message, wanted: Name) -> None:
        for text in self.records.get(self.asked[-1], []):
            # A text of more than 255 characters is sent in parts.
            pieces = " ".join(f'"{text[start : start + 200]}"' for start in range(0, max(len(text), 1), 200))
            reply.answer.append(rrset.from_text(wanted, 60, "IN", "TXT", pieces))
        if not reply.answer and not any(known.endswith(self.asked[-1]) for known in self.records):
            reply.set_rcode(rcode.NXDOMAIN)


@contextmanager
def dns_server() -> Iterator[DnsServer]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        server = DnsServer(port=listener.getsockname()[1])
        thread = threading.Thread(target=_serve, args=(listener, server), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            # An empty packet ends it.
            listener.sendto(b"", listener.getsockname())
            thread.join(PATIENCE_S)


def _serve(listener: socket.socket, server: DnsServer) -> None:
    while True:
        data, peer = listener.recvfrom(4096)
        if not data:
            return
        if not server.deaf:
            listener.sendto(server.answer(data), peer)
