"""What a message has beyond one address and the templates of its kind. Pure."""

import hashlib
import json
import mimetypes
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

from notifications.rules.addresses import NamedAddress

UNKNOWN_TYPE = "application/octet-stream"
_LENGTH_BYTES = 4
# Python's email package writes others each time: boundaries, and in an attached email Django's headers.
_WRITTEN_TYPES = ("message/", "multipart/")
_BOUNDARY = re.compile(rb"={15}\d{19}==")
_IDS = re.compile(rb"^(?:message-id|date):.*(?:\n[ \t].*)*\n?", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Attachment:
    """A file. Without a `mimetype`, its name decides.

    With a `content_id`, the HTML shows it: `<img src="cid:…">`.
    """

    name: str
    content: bytes = field(repr=False)
    mimetype: str = ""
    content_id: str = ""

    def __post_init__(self) -> None:
        # Another name is refused where the file is used.
        by_name = mimetypes.guess_type(self.name)[0] if isinstance(self.name, str) else None
        guessed = self.mimetype or by_name or UNKNOWN_TYPE
        object.__setattr__(self, "mimetype", guessed)


class Alternative(NamedTuple):
    """The same email in another form, as Django's `attach_alternative` takes it."""

    content: str
    mimetype: str


class Body(NamedTuple):
    """A finished email, which needs no templates. `subtype` is that of `text`: plain or html."""

    subject: str
    text: str
    subtype: str = "plain"
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Content:
    """What is stored beside a message. `to` holds the recipients after the first, whose name is `to_name`.

    What is empty comes from the kind: the sender, the answer's address, headers, tags.
    """

    to_name: str = ""
    to: tuple[NamedAddress, ...] = ()
    cc: tuple[NamedAddress, ...] = ()
    bcc: tuple[NamedAddress, ...] = ()
    reply_to: tuple[NamedAddress, ...] = ()
    from_email: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    # A Django email as its author wrote it (providers/base/email_message.py). It refers to the attachments.
    email: Mapping[str, Any] | None = None

    @property
    def is_empty(self) -> bool:
        return self == Content()

    @property
    def finished(self) -> Body | None:
        """Return the text of a Django email."""
        if not self.email:
            return None
        files = ((self.attachments[place], mimetype) for _, place, mimetype in self.email["alternatives"])
        texts = [Alternative(file.content.decode(errors="replace"), mimetype) for file, mimetype in files]
        subtype = self.email.get("content_subtype", "plain")
        return Body(self.email["subject"], self.email["body"], subtype, tuple(texts))

    @property
    def further(self) -> tuple[NamedAddress, ...]:
        """Return the recipients after the first."""
        return self.to + self.cc + self.bcc

    @property
    def size(self) -> int:
        """Return the bytes of the text and the files."""
        return (len(json.dumps(self.email)) if self.email else 0) + size_of(self.attachments)


def size_of(attachments: Sequence[Attachment]) -> int:
    return sum(len(one.content) for one in attachments)


def packed(content: Content) -> bytes:
    return zlib.compress(_plain(content))


def unpacked(data: bytes) -> Content:
    plain = zlib.decompress(data)
    begin = _LENGTH_BYTES + int.from_bytes(plain[:_LENGTH_BYTES], "big")
    found = json.loads(plain[_LENGTH_BYTES:begin])
    files = []
    for name, mimetype, content_id, length in found.pop("attachments", []):
        files.append(Attachment(name, plain[begin : begin + length], mimetype, content_id))
        begin += length
    for name in ("to", "cc", "bcc", "reply_to"):
        found[name] = tuple(NamedAddress(*one) for one in found.get(name, ()))
    return Content(**{**found, "tags": tuple(found.get("tags", ())), "attachments": tuple(files)})


def digest(content: Content) -> str:
    """Return the same text for equal contents, and for no others.

    Emails and parts in files are equal if only what Python chooses at random differs.
    """
    files = tuple(map(_without_random, content.attachments))
    return hashlib.sha256(_plain(replace(content, attachments=files))).hexdigest()


def _without_random(file: Attachment) -> Attachment:
    if not file.mimetype.startswith(_WRITTEN_TYPES):
        return file
    head, end, rest = file.content.partition(b"\n\n")
    return replace(file, content=_BOUNDARY.sub(b"", _IDS.sub(b"", head) + end + rest))


def _plain(content: Content) -> bytes:
    # The length of the JSON, the JSON, then the bytes of the files, whose lengths are in the JSON.
    found: dict[str, Any] = {one.name: value for one in fields(content) if (value := getattr(content, one.name))}
    if content.attachments:
        found["attachments"] = [
            (one.name, one.mimetype, one.content_id, len(one.content)) for one in content.attachments
        ]
    head = json.dumps(found, sort_keys=True).encode()
    return b"".join([len(head).to_bytes(_LENGTH_BYTES, "big"), head, *(one.content for one in content.attachments)])
