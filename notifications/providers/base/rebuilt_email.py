"""Build the Django email again that `email_message.py` has stored."""

from collections.abc import Collection, Mapping, Sequence
from email import message_from_bytes, policy
from email.charset import Charset
from email.message import Message, MIMEPart
from email.mime.base import MIMEBase
from typing import Any

from django.core.mail import EmailAlternative, EmailAttachment, EmailMultiAlternatives

from notifications.providers.base.django_versions import IS_MODERN
from notifications.rules.content import Attachment

Kept = Mapping[str, Any]

RECIPIENTS = ("to", "cc", "bcc")
# Django's other attributes, and those that Anymail reads.
_OF_DJANGO_5 = ("mixed_subtype", "alternative_subtype")
SUBTYPES = ("content_subtype", *_OF_DJANGO_5)
ANYMAIL = (
    *("metadata", "tags", "track_clicks", "track_opens", "template_id", "merge_global_data"),
    *("envelope_sender", "esp_extra"),
)


class ParsedPart(MIMEBase):
    """A parsed part, of the class that Django and Anymail accept as an attachment."""

    def __init__(self, policy: Any = policy.compat32) -> None:
        Message.__init__(self, policy)


class RebuiltEmail(EmailMultiAlternatives):
    """An email as its author wrote it. `envelope` has the addresses of sender and recipients, in ASCII.

    `mime` is the MIME message of an author's class that writes it itself, to sign it for example. APIs that take no
    MIME get the parts, as from Anymail.
    """

    envelope: tuple[str, list[str]] = ("", [])
    mime = b""
    metadata: dict[str, Any]

    def put_first(self, address: str) -> None:
        """Let the provider's answer to this recipient count. A resend may go to another one than the author's."""
        recipients = self.envelope[1]
        if address not in map(str.lower, recipients):
            self.to.insert(0, address)
            recipients.append(address)
        recipients.sort(key=lambda one: one.lower() != address)

    def also_to(self, address: str) -> None:
        # A guard adds a recipient who is none of the author's.
        if address.lower() not in map(str.lower, self.envelope[1]):
            self.cc.append(address)
            self.envelope[1].append(address)

    def message(self, **options: Any) -> Any:
        return message_from_bytes(self.mime, _class=ParsedPart) if self.mime else super().message(**options)


def rebuilt_email(kept: Kept, files: Sequence[Attachment], recipients: Collection[str]) -> RebuiltEmail:
    """Return the email again, to those of its recipients who are in `recipients`.

    Those are in lower case.
    """
    email = RebuiltEmail()
    for name in ("subject", "body", "reply_to", *SUBTYPES, *ANYMAIL):
        if name in kept and (name not in _OF_DJANGO_5 or not IS_MODERN):
            setattr(email, name, kept[name])
    email.from_email, sender = kept["from_email"]
    going = {name: [one for one in kept[name] if not one[1] or one[1].lower() in recipients] for name in RECIPIENTS}
    for name, people in going.items():
        setattr(email, name, [raw for raw, _ in people])
    email.envelope = sender, [address for people in going.values() for _, address in people if address]
    email.extra_headers = dict(kept["headers"])
    email.attachments = [
        _attachment(how, place, mimetype, name, files) for how, place, mimetype, name in kept["attachments"]
    ]
    email.alternatives = [
        EmailAlternative(_content(how, files[place]), mimetype) for how, place, mimetype in kept["alternatives"]
    ]
    if "encoding" in kept:
        email.encoding = _encoding(kept["encoding"])
    if "mime" in kept:
        email.mime = files[kept["mime"]].content
    return email


def _attachment(how: str, place: int, mimetype: str, name: str | None, files: Sequence[Attachment]) -> Any:
    match how:
        case "part":
            return message_from_bytes(files[place].content, _class=ParsedPart)
        case "modern part":
            return message_from_bytes(files[place].content, _class=MIMEPart, policy=policy.default)  # type: ignore[arg-type]
    return EmailAttachment(name, _content(how, files[place]), mimetype)


def _content(how: str, file: Attachment) -> str | bytes:
    return file.content if how == "bytes" else file.content.decode(errors="surrogatepass")


def _encoding(kept: str | list[Any]) -> str | Charset:
    if isinstance(kept, str):
        return kept
    if IS_MODERN:
        return str(kept[0])
    charset = Charset(kept[0])
    charset.header_encoding, charset.body_encoding = kept[1:]
    return charset
