"""Give an API what an author's class writes in its message(). Pure."""

from collections.abc import Iterator, Sequence
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from typing import NamedTuple

from django.core.mail import EmailAlternative, EmailMultiAlternatives

from notifications.providers.base.checked import BadEmailError
from notifications.providers.base.rebuilt_email import ParsedPart, RebuiltEmail

# Containers of parts that an API takes apart from each other. Not those of signed and encrypted emails.
_CONTAINERS = {"multipart/mixed", "multipart/alternative", "multipart/related"}
# Each email or part has them. The recipients are those of the envelope.
_NOT_COMPARED = {
    *("date", "message-id", "mime-version", "content-type", "content-transfer-encoding"),
    *("to", "cc", "bcc"),
}
_PEOPLE = {"from", "reply-to"}


class OwnMimeError(BadEmailError):
    """Its class writes a MIME message that an API cannot take in parts."""


class _Leaf(NamedTuple):
    part: Message
    is_alternative: bool


def use_parts(email: EmailMultiAlternatives) -> None:
    """Add the headers and files that only the MIME message has. Raises OwnMimeError for anything else it has."""
    if not (isinstance(email, RebuiltEmail) and email.mime):
        return
    own = email.message()
    email.mime = b""
    usual = message_from_bytes(email.message().as_bytes(), _class=ParsedPart)
    email.extra_headers = {**email.extra_headers, **dict(_more_headers(own, usual))}
    for leaf in _more_leaves(own, usual):
        if leaf.is_alternative:
            email.alternatives.append(EmailAlternative(_text(leaf.part), leaf.part.get_content_type()))
        else:
            email.attachments.append(leaf.part)


def _more_headers(own: Message, usual: Message) -> Iterator[tuple[str, str]]:
    # What `usual` alone has was added after the email was written, such as the link to unsubscribe.
    for name in own.keys():  # noqa: SIM118 - it yields no names otherwise
        theirs, known = _values(own, name.lower()), _values(usual, name.lower())
        if name.lower() in _NOT_COMPARED or theirs == known:
            continue
        if known or len(theirs) > 1 or name.lower() == "subject":
            raise OwnMimeError(f"its class writes another header {name}")
        yield name, theirs[0]


def _values(part: Message, name: str) -> list[str]:
    values = part.get_all(name, [])
    if name in _PEOPLE:
        return sorted(address.lower() for _, address in getaddresses(list(map(str, values))))
    return [" ".join(str(make_header(decode_header(str(value)))).split()) for value in values]


def _more_leaves(own: Message, usual: Message) -> list[_Leaf]:
    more = list(_leaves(own))
    for known in _leaves(usual):
        same = next((one for one in more if _content(one.part) == _content(known.part)), None)
        if same is None:
            raise OwnMimeError(f"its class leaves out a part: {known.part.get_content_type()}")
        more.remove(same)
    return more


def _leaves(part: Message, *, is_alternative: bool = False) -> Iterator[_Leaf]:
    if part.get_content_maintype() != "multipart":
        yield _Leaf(part, is_alternative)
        return
    if part.get_content_type() not in _CONTAINERS:
        raise OwnMimeError(f"its class writes {part.get_content_type()}")
    inside: Sequence[Message] = part.get_payload()  # type: ignore[assignment]
    for one in inside:
        yield from _leaves(one, is_alternative=part.get_content_subtype() == "alternative")


def _content(part: Message) -> tuple[str, object]:
    # Django writes an attached email again each time, with other ids.
    if part.get_content_maintype() == "message":
        return part.get_content_type(), None
    decoded = part.get_payload(decode=True)
    return part.get_content_type(), decoded.rstrip() if isinstance(decoded, bytes) else decoded


def _text(part: Message) -> str:
    decoded = part.get_payload(decode=True)
    charset = part.get_content_charset("utf-8")
    try:
        return decoded.decode(charset) if isinstance(decoded, bytes) else ""
    except (LookupError, UnicodeDecodeError) as error:
        raise OwnMimeError(f"its class writes {part.get_content_type()} in another character set") from error
