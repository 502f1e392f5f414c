"""Attach files to an email: the same bytes for every provider."""

import re
from email.encoders import encode_base64
from email.message import MIMEPart
from email.mime.base import MIMEBase

from django.core.mail import EmailMultiAlternatives

from notifications.providers.base.checked import BadEmailError, single_line
from notifications.providers.base.django_versions import IS_MODERN
from notifications.rules.content import UNKNOWN_TYPE, Attachment

# RFC 2045, section 5.1: two tokens.
_TYPE = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+/[A-Za-z0-9!#$%&'*+.^_`{|}~-]+")
_CONTENT_ID = re.compile(r"[!-;=?-~]*")
EMAIL_TYPE = "message/rfc822"


def checked_file(file: Attachment) -> Attachment:
    """Return a file that can be sent. Raises BadEmailError and BadHeaderError."""
    if not isinstance(file.name, str):
        raise BadEmailError("the name of a file must be text")
    single_line(file.name)
    if not isinstance(file.content, bytes):
        raise BadEmailError("the content of a file must be bytes")
    if not _TYPE.fullmatch(file.mimetype):
        raise BadEmailError("a file has no usable type")
    if not _CONTENT_ID.fullmatch(file.content_id):
        raise BadEmailError("a Content-ID must be printable ASCII, without brackets")
    return file


def attach(message: EmailMultiAlternatives, file: Attachment) -> None:
    """Attach a checked file. Raises what `checked_file` raises."""
    checked_file(file)
    if file.mimetype == EMAIL_TYPE:
        # Never in base64: RFC 2046, section 5.2.1.
        message.attach(file.name, file.content, file.mimetype)
    else:
        message.attach(_part(file))


def _part(file: Attachment) -> MIMEBase | MIMEPart:
    # Not as Django does it: its text would lose the line endings.
    is_text = file.mimetype.startswith("text/")
    is_readable = not is_text or _is_utf8(file.content)
    part = _empty_part(file.mimetype if is_readable else UNKNOWN_TYPE)
    if is_text and is_readable:
        part.set_param("charset", "utf-8")
    part.set_payload(file.content)
    encode_base64(part)
    name = file.name if file.name.isascii() else ("utf-8", "", file.name)
    part.add_header("Content-Disposition", "inline" if file.content_id else "attachment", filename=name)
    if file.content_id:
        part.add_header("Content-ID", f"<{file.content_id}>")
    return part


def _empty_part(mimetype: str) -> MIMEBase | MIMEPart:
    if not IS_MODERN:
        return MIMEBase(*mimetype.split("/"))
    part = MIMEPart()
    part["Content-Type"], part["MIME-Version"] = mimetype, "1.0"
    return part


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
