"""Digest the parts of an email, so that two can be compared without storing them."""

from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from email.utils import parseaddr

from django.core.mail import EmailMessage
from django.utils.crypto import salted_hmac

# Two emails never share them, or the parts show them.
_NOT_COMPARED = {"date", "message-id", "mime-version", "content-type", "content-transfer-encoding"}
# The author's instructions to Mailroom, which it does not send.
_INSTRUCTIONS = "x-mailroom-"
_SIZE = 16


def digests(email: EmailMessage) -> dict[str, str]:
    """Return a keyed digest of each part. No name of a part reveals content.

    Raises what `email.message()` raises.
    """
    mime = message_from_bytes(email.message().as_bytes())
    people = sorted({parseaddr(str(one))[1].lower() for one in email.recipients()})
    return {"recipients": _digest(repr(people)), **dict(_headers(mime)), **dict(_parts(mime))}


def _headers(mime: Message) -> Iterator[tuple[str, str]]:
    for name in dict.fromkeys(mime.keys()):
        if name.lower() not in _NOT_COMPARED and not name.lower().startswith(_INSTRUCTIONS):
            values = [" ".join(str(value).split()) for value in mime.get_all(name, [])]
            yield f"header {name}", _digest(repr(values))


def _parts(mime: Message) -> Iterator[tuple[str, str]]:
    parts = list(mime.walk())
    yield "structure", _digest(repr([part.get_content_type() for part in parts]))
    leaves = [part for part in parts if not part.is_multipart()]
    for place, part in enumerate(leaves, 1):
        # With its name and character set.
        head = repr([(part.get_params(failobj=[])), part.get("Content-Disposition"), part.get("Content-ID")])
        content = part.get_payload(decode=True)
        yield f"part {place} ({part.get_content_type()})", _digest(head, content if isinstance(content, bytes) else b"")


def _digest(text: str, content: bytes = b"") -> str:
    # Keyed: a bare hash of an address can be guessed.
    keyed = salted_hmac("notifications.shadow", text.encode(errors="replace"))
    keyed.update(content)
    return keyed.hexdigest()[:_SIZE]
