"""Faults between a provider and its caller, and whether the email is accepted nevertheless. Pure."""

from enum import StrEnum
from http.client import responses

from devtools.simulator.dialects.base import Answer


class Fault(StrEnum):
    NONE = "none"
    STATUS = "status"  # refused with error_status
    HANG_BEFORE = "hang_before"  # not taken; the connection is held and then closed
    HANG_AFTER = "hang_after"  # taken; the connection is held and then closed
    CUT_BEFORE = "cut_before"  # not taken; closed
    CUT_AFTER = "cut_after"  # taken; closed
    TRUNCATE = "truncate"  # taken; half an answer
    DRIBBLE = "dribble"  # taken; the answer comes a byte at a time
    ERROR_AFTER = "error_after"  # taken; answered with 500, as a proxy in front of the provider words it
    SUSPENDED = "suspended"  # refused: the account may not send


# How the answer to an accepted mail ends, for the journal.
ANSWERED = {
    Fault.NONE: "whole",
    Fault.HANG_AFTER: "hung",
    Fault.CUT_AFTER: "cut",
    Fault.TRUNCATE: "truncated",
    Fault.DRIBBLE: "dribbled",
    Fault.ERROR_AFTER: "error",
}
# The caller had left before there was an answer to hear.
UNHEARD = "unheard"


def on_the_wire(answer: Answer) -> bytes:
    """Return an answer as HTTP/1.1 bytes, for a connection that is closed after it."""
    body = answer.body.encode()
    headers = {**answer.headers, "Content-Length": str(len(body)), "Connection": "close"}
    head = [f"HTTP/1.1 {answer.status} {responses.get(answer.status, 'Unknown')}"]
    head += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*head, "", ""]).encode() + body


def half(answer: Answer) -> bytes:
    """Return an answer that breaks off in its body or, where it has none, in its first line.

    Between headers would not do: many clients take a head that ends early for a whole one.
    """
    whole = on_the_wire(answer)
    length = len(answer.body.encode())
    return whole[: len(whole) - (length + 1) // 2] if length else whole[: len(b"HTTP/1.1 2")]
