"""What an email has beyond its text: files, and alternatives to text and HTML."""

import base64
import hashlib
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Any

SHOWN = {"text/plain", "text/html"}


def file_of(name: str, mimetype: str, content: bytes, content_id: str = "") -> dict[str, Any]:
    """Return what the journal keeps of a file: not the file."""
    return {
        "name": name,
        "type": mimetype.partition(";")[0].strip(),
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "content_id": content_id.removeprefix("cid:").strip("<>"),
    }


def file_in_base64(name: str, mimetype: str, content: str, content_id: str = "") -> dict[str, Any]:
    """Return the same for a file in base64. Raises ValueError."""
    return file_of(name, mimetype, base64.b64decode(content, validate=True), content_id)


def of_mime(message: EmailMessage) -> dict[str, Any]:
    """Return these fields of an entry."""
    parts = [part for part in _parts(message) if not part.is_attachment() and not part["Content-ID"]]
    files = [part for part in _parts(message) if part.is_attachment() or part["Content-ID"]]
    return {
        "cc": addresses(message, "Cc"),
        "reply_to": addresses(message, "Reply-To"),
        "labels": [label.strip() for value in message.get_all("X-Tag", []) for label in str(value).split(",")],
        "parts": {part.get_content_type(): _text(part) for part in parts if part.get_content_type() not in SHOWN},
        "files": [
            file_of(part.get_filename() or "", part.get_content_type(), _bytes(part), str(part["Content-ID"] or ""))
            for part in files
        ],
    }


def addresses(message: EmailMessage, name: str) -> list[str]:
    return [address for _, address in getaddresses([str(value) for value in message.get_all(name, [])])]


def _parts(message: EmailMessage) -> Iterator[EmailMessage]:
    # An email in an email is one part.
    if message.get_content_maintype() == "multipart":
        for part in message.iter_parts():
            if isinstance(part, EmailMessage):
                yield from _parts(part)
    else:
        yield message


def _bytes(part: EmailMessage) -> bytes:
    if part.get_content_type() == "message/rfc822":
        return part.get_content().as_bytes()  # type: ignore[no-any-return]
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text(part: EmailMessage) -> str:
    return _bytes(part).decode(part.get_content_charset("utf-8"), "replace")
