"""Convert a Django EmailMessage to stored content. Pure.

All its parts are stored, so that every backend sends the rebuilt email as it would have sent the original.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time
from email.charset import Charset
from email.generator import BytesGenerator
from email.message import Message, MIMEPart
from io import BytesIO
from typing import Any

from anymail.exceptions import AnymailInvalidAddress
from anymail.utils import UNSET
from django.core.mail import EmailMessage
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.timezone import is_naive, make_aware

from notifications.providers.base.checked import BadHeaderError, header_name
from notifications.providers.base.rebuilt_email import ANYMAIL, RECIPIENTS, SUBTYPES
from notifications.providers.base.usual_addresses import parse_addresses
from notifications.rules.addresses import BadAddressError, NamedAddress, one_address
from notifications.rules.content import Attachment, Content

_FOR_EACH_RECIPIENT = ("merge_data", "merge_headers", "merge_metadata")
# Where Python's email package splits a header into lines.
_BREAK = re.compile("[\r\n\x0b\x0c\x1c-\x1e]")
# Methods that write the MIME message, in Django 5.2 and 6.
_WRITERS = (
    *("message", "_create_message", "_create_alternatives", "_create_attachments", "_create_attachment"),
    *("_create_mime_attachment", "_add_bodies", "_add_attachments", "_add_attachment"),
)


class BadEmailMessageError(ValueError):
    """An EmailMessage that no backend could send, or that cannot be stored. The text never repeats its content."""


def stored_email(email: EmailMessage) -> Content:
    """Return the content of an email, with all recipients in `to`, `cc` and `bcc`.

    Raises BadEmailMessageError, BadAddressError, and Django's BadHeaderError. Builds the MIME message, so that what no
    backend can send is an error for its author.
    """
    _refuse_merging(email)
    sender, *_ = _people("from_email", [email.from_email])
    people = {name: [*_people(name, getattr(email, name))] for name in RECIPIENTS}
    if [*email.recipients()] != [one for name in RECIPIENTS for one in getattr(email, name) if one]:
        raise BadEmailMessageError("the recipients() of its class are not those of to, cc and bcc")
    _refuse_line_breaks(email)
    mime = _mime(email)
    files: list[Attachment] = []
    kept: dict[str, Any] = {
        "subject": str(email.subject),
        "body": str(email.body),
        "from_email": [str(email.from_email), sender.address],
        **{name: _with_addresses(getattr(email, name), people[name]) for name in RECIPIENTS},
        "reply_to": [str(one) for one in email.reply_to],
        # In their order: objects are stored with sorted keys.
        "headers": [[str(name), str(value)] for name, value in email.extra_headers.items()],
        "attachments": [_stored_attachment(one, files) for one in email.attachments],
        "alternatives": [
            _stored_content(content, mimetype, files) for content, mimetype in getattr(email, "alternatives", [])
        ],
        **{name: value for name in SUBTYPES if (value := getattr(email, name, None)) is not None},
        **{name: _json_value(name, getattr(email, name)) for name in ANYMAIL if _has(email, name)},
    }
    if email.encoding:
        kept["encoding"] = _stored_encoding(email.encoding)
    if _writes_own_mime(email):
        kept["mime"] = _index(files, "email.eml", mime, "message/rfc822")
    lists: dict[str, Any] = {name: tuple(one for one in people[name] if one.address) for name in RECIPIENTS}
    return Content(**lists, from_email=str(email.from_email), email=kept, attachments=tuple(files))


def scheduled_for(email: EmailMessage) -> Any:
    """Return Anymail's `send_at`, as Anymail reads it; None without one."""
    at = getattr(email, "send_at", None) if _has(email, "send_at") else None
    match at:
        case datetime():
            return make_aware(at) if is_naive(at) else at
        case date():
            return make_aware(datetime.combine(at, time()))
        case int() | float():
            with suppress(ValueError, OverflowError, OSError):
                return datetime.fromtimestamp(at, UTC)
    return at


def _people(name: str, given: Sequence[Any]) -> Iterator[NamedAddress]:
    # Django leaves out empty entries. Raises BadAddressError, which names the entry.
    for place, one in enumerate(given, 1):
        if not one and name != "from_email":
            yield NamedAddress("")
            continue
        try:
            (parsed,) = parse_addresses([str(one)])
            yield NamedAddress(one_address(parsed.addr_spec), " ".join(parsed.display_name.split()))
        except (AnymailInvalidAddress, ValueError) as error:
            raise BadAddressError(f"entry {place} of {name} is not exactly one email address") from error


def _with_addresses(given: Sequence[Any], people: Sequence[NamedAddress]) -> list[list[str]]:
    return [[str(raw), one.address] for raw, one in zip(given, people, strict=True)]


def _refuse_line_breaks(email: EmailMessage) -> None:
    # Django checks for two of them, and neither in names. Text that is not ASCII is encoded without any.
    people = [one for name in (*RECIPIENTS, "reply_to") for one in getattr(email, name)]
    files = [one[0] for one in email.attachments if isinstance(one, tuple)]
    for text in map(str, [email.subject, email.from_email, *people, *email.extra_headers.values(), *files]):
        if text.isascii() and _BREAK.search(text):
            raise BadHeaderError("a header value must not hold a line break")
    for name in email.extra_headers:
        header_name(str(name))


def _refuse_merging(email: EmailMessage) -> None:
    for name in _FOR_EACH_RECIPIENT:
        if _has(email, name):
            raise BadEmailMessageError(f"{name} makes several emails of one: send one EmailMessage to each recipient")


def _has(email: EmailMessage, name: str) -> bool:
    # Anymail's own class has all its attributes.
    return not any(getattr(email, name, UNSET) is none for none in (UNSET, None))


def _mime(email: EmailMessage) -> bytes:
    try:
        return bytes(email.message().as_bytes())
    except ValueError:
        # Django's own errors say what is wrong, and UnicodeError is one.
        raise
    except Exception as error:
        raise BadEmailMessageError(f"the email cannot be written: {type(error).__name__}") from error


def _written(part: Message) -> bytes:
    # A folded line would stay folded when it is parsed, and be so in an API's request.
    written = BytesIO()
    BytesGenerator(written, mangle_from_=False, policy=part.policy.clone(max_line_length=None)).flatten(part)
    return written.getvalue()


def _writes_own_mime(email: EmailMessage) -> bool:
    base = next(each for each in type(email).__mro__ if each.__module__ == EmailMessage.__module__)
    return any(
        name in vars(email) or getattr(type(email), name, None) is not getattr(base, name, None) for name in _WRITERS
    )


def _json_value(name: str, value: Any) -> Any:
    try:
        return json.loads(json.dumps(value, cls=DjangoJSONEncoder, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise BadEmailMessageError(f"{name} cannot be stored as JSON") from error


# An attachment is a MIME part, or a name and content. The files have the bytes, and JSON their places among them.
def _stored_attachment(attachment: Any, files: list[Attachment]) -> list[Any]:
    if isinstance(attachment, Message):
        how = "modern part" if isinstance(attachment, MIMEPart) else "part"
        name = attachment.get_filename() or ""
        return [how, _index(files, name, _written(attachment), attachment.get_content_type()), None, None]
    name, content, mimetype = attachment
    return [*_stored_content(content, mimetype, files, str(name or "")), name and str(name)]


def _stored_content(content: Any, mimetype: Any, files: list[Attachment], name: str = "") -> list[Any]:
    if isinstance(content, EmailMessage):
        content = content.message()
    if isinstance(content, Message):
        content = _written(content)
    if isinstance(content, bytes | bytearray | memoryview):
        return ["bytes", _index(files, name, bytes(content), mimetype), mimetype]
    # Half a character survives, as it does in the email.
    return ["text", _index(files, name, str(content).encode(errors="surrogatepass"), mimetype), mimetype]


def _index(files: list[Attachment], name: str, content: bytes, mimetype: str | None) -> int:
    files.append(Attachment(name, content, mimetype or ""))
    return len(files) - 1


def _stored_encoding(encoding: str | Charset) -> str | list[Any]:
    if isinstance(encoding, Charset):
        return [encoding.input_charset, encoding.header_encoding, encoding.body_encoding]
    return str(encoding)
