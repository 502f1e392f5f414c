"""Compare MIME messages as their readers do."""

from collections.abc import Iterator
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from typing import Any

# Two messages never share them.
OWN = {"date", "message-id"}


def tree(raw: bytes) -> Any:
    """Return headers and parts without dates, ids and boundaries. Encoded words are decoded, and lines unfolded."""
    return _tree(message_from_bytes(raw))


def _tree(message: Message) -> Any:
    headers = [(name, _decoded(name, value)) for name, value in message.items() if _is_compared(name)]
    parameters = [item for item in message.get_params(failobj=[]) if item[0].lower() != "boundary"]
    if message.is_multipart():
        content: Any = [_tree(part) for part in message.get_payload()]  # type: ignore[arg-type]
    else:
        content = message.get_payload(decode=True)
    return {"headers": headers, "type": parameters, "content": content}


def _is_compared(name: str) -> bool:
    # The type is compared by its parameters.
    return name.lower() not in OWN | {"content-type"} and not name.lower().startswith("x-mailroom-")


def _decoded(name: str, value: Any) -> str:
    unfolded = "".join(str(value).splitlines())
    return str(make_header(decode_header(unfolded))) if name.lower() != "content-disposition" else unfolded


def types(raw: bytes) -> Iterator[str]:
    return (part.get_content_type() for part in message_from_bytes(raw).walk())
