"""Faults between a provider and its caller, some after the email was accepted. Pure."""

from enum import StrEnum
from http.client import responses

from devtools.simulator.dialects.base import Answer


class Fault(StrEnum):
    NONE = "none"
    STATUS = "status"  # refused with error_status
    HANG_BEFORE = "hang_before"  # not accepted; the connection is held, then closed
    HANG_AFTER = "hang_after"  # accepted; the connection is held, then closed
    CUT_BEFORE = "cut_before"  # not accepted; the connection is closed
    CUT_AFTER = "cut_after"  # accepted; the connection is closed
    TRUNCATE = "truncate"  # accepted; half an answer
    DRIBBLE = "dribble"  # accepted; the answer is sent byte by byte
    ERROR_AFTER = "error_after"  # accepted; answered with a proxy's page for 500
    SUSPENDED = "suspended"  # refused: the account may not send


# How the answer to an accepted email ends, for the journal.
ANSWERED = {
    Fault.NONE: "complete",
    Fault.HANG_AFTER: "hung",
    Fault.CUT_AFTER: "cut",
    Fault.TRUNCATE: "truncated",
    Fault.DRIBBLE: "dribbled",
    Fault.ERROR_AFTER: "error",
}
# The caller has closed the connection without reading the answer.
UNREAD = "unread"


def on_the_wire(answer: Answer) -> bytes:
    # HTTP/1.1, for a connection that is closed afterwards.
    body = answer.body.encode()
    headers = {**answer.headers, "Content-Length": str(len(body)), "Connection": "close"}
    head = [f"HTTP/1.1 {answer.status} {responses.get(answer.status, 'Unknown')}"]
    head += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*head, "", ""]).encode() + body


def half(answer: Answer) -> bytes:
    """Cut an answer off in its body or, without one, in its first line.

    Not between headers, because many clients accept an incomplete head.
    """
    whole = on_the_wire(answer)
    length = len(answer.body.encode())
    return whole[: len(whole) - (length + 1) // 2] if length else whole[: len(b"HTTP/1.1 2")]
