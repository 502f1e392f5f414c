"""Render a message into an email. Tokens are created here and never stored."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from django.utils import translation

from notifications import kinds, links, users
from notifications.conf import settings
from notifications.delivery.content import content_of
from notifications.delivery.engine import EmailTexts, MissingVariableError, render_content
from notifications.delivery.fingerprint import fingerprint_of
from notifications.delivery.misfit import may_fit_elsewhere
from notifications.delivery.prepared.cache import prepared_for
from notifications.kinds import Kind
from notifications.models import Message
from notifications.providers.base import given
from notifications.providers.base.compose import BadSenderError, bare_sender
from notifications.providers.base.given import BadContentError
from notifications.providers.base.sending import OutgoingEmail
from notifications.rules.content import Attachment, Content, size_of
from notifications.rules.states import Stream
from notifications.runtime.database import is_outage

logger = logging.getLogger(__name__)

_UNSUBSCRIBE, _ONE_CLICK = "List-Unsubscribe", "List-Unsubscribe-Post"

#: Returns what only the recipient of a message may know, by name.
Secrets = Callable[[Message], dict[str, str]]
T = TypeVar("T")


class Rendered(NamedTuple):
    """An email without its headers. `link`: to leave bulk email; empty in other email."""

    content: EmailTexts
    fingerprint: str
    link: str


class RenderingError(Exception):
    """The templates and the context of this message do not fit.

    The error's text names its type, never its values. `may_fit_elsewhere`: another version of the code may render it.
    """

    def __init__(self, problem: str, *, may_fit_elsewhere: bool = False) -> None:
        super().__init__(problem)
        self.may_fit_elsewhere = may_fit_elsewhere


def render(message: Message, *, attempt: int) -> OutgoingEmail:
    """Return the email for the coming attempt, in the recipient's language.

    Raises RenderingError for any error of a template or a context function. An email that fails only in the recipient's
    language is rendered in the site's. An outage of the database is raised unchanged. Sets the message's fingerprint.
    """
    kind, content = _reported(lambda: (kinds.get(message.kind), content_of(message)))
    if content.email:
        return _authored(message, attempt, content)
    texts, message.fingerprint, link = _rendered_in_some_language(message)
    return OutgoingEmail(
        message_id=message.id,
        attempt=attempt,
        from_email=content.from_email or sender_of(kind),
        to_address=message.to_address,
        to_name=content.to_name or recipient_name(message),
        subject=texts.subject,
        text=texts.text,
        html=texts.html,
        headers=merged(headers_of(message, kind, link), content.headers),
        more_to=content.to,
        cc=content.cc,
        bcc=content.bcc,
        reply_to=content.reply_to or kind.answered_to,
        tags=content.tags or kind.tags,
        attachments=(*_made_files(message, kind), *content.attachments),
    )


def _authored(message: Message, attempt: int, content: Content) -> OutgoingEmail:
    # A Django email: only its Message-ID is added, and to bulk the headers to unsubscribe.
    message.fingerprint = ""
    email = content.email or {}
    ours = {"Message-ID": message_id_of(message), **_list_headers(_own_unsubscribe_url(message))}
    return OutgoingEmail(
        message_id=message.id,
        attempt=attempt,
        from_email=content.from_email,
        to_address=message.to_address,
        to_name=content.to_name,
        subject=email["subject"],
        text=email["body"],
        html="",
        headers=_without(ours, [name for name, _ in email["headers"]]),
        more_to=content.to,
        cc=content.cc,
        bcc=content.bcc,
        attachments=content.attachments,
        email=email,
    )


def merged(defaults: Mapping[str, str], more: Mapping[str, str]) -> Mapping[str, str]:
    return {**_without(defaults, more), **more} if more else defaults


def _without(ours: Mapping[str, str], given: Iterable[str]) -> Mapping[str, str]:
    # Header names ignore case. Our promise of one click is about our link only.
    names = {name.lower() for name in given}
    if _UNSUBSCRIBE.lower() in names:
        names.add(_ONE_CLICK.lower())
    return {name: value for name, value in ours.items() if name.lower() not in names}


def sender_of(kind: Kind) -> str:
    return kind.from_email or str(settings.DEFAULT_FROM_EMAIL)


def _made_files(message: Message, kind: Kind) -> Sequence[Attachment]:
    # The kind makes them now, in the recipient's language. Raises RenderingError.
    make = kind.attachments
    if make is None:
        return ()

    def files() -> Sequence[Attachment]:
        made = given.files(make(message.user, message.context))
        if size_of(made) > settings.EMAIL_MAX_BYTES:
            raise BadContentError("the files of its kind are larger than EMAIL_MAX_BYTES")
        return made

    return in_language(message_language(message), files)


def message_language(message: Message) -> str:
    # The recipient's, if the site has it.
    user = message.user
    language = users.language_of(user) if user else ""
    if not language and isinstance(message.context, dict):
        language = message.context.get("language") or ""
    try:
        return translation.get_supported_language_variant(str(language))
    except LookupError:
        return str(settings.LANGUAGE_CODE)


def live_secrets(message: Message) -> dict[str, str]:
    return secrets_of_account(message) | unsubscribe_link(message, _own_unsubscribe_url(message))


def secrets_of_account(message: Message) -> dict[str, str]:
    create_each = kinds.get(message.kind).secrets or {}
    return {name: create(message.user) for name, create in create_each.items()} if message.user else {}


def unsubscribe_link(message: Message, url: str) -> dict[str, str]:
    return {links.UNSUBSCRIBE_VARIABLE: url} if _has_unsubscribe_link(message) else {}


def link_in(message: Message, data: Mapping[str, Any]) -> str:
    # Signing takes a while, so it is done once for each email.
    return str(data[links.UNSUBSCRIBE_VARIABLE]) if _has_unsubscribe_link(message) else ""


def _own_unsubscribe_url(message: Message) -> str:
    return links.unsubscribe_url(message.to_address) if _has_unsubscribe_link(message) else ""


def _has_unsubscribe_link(message: Message) -> bool:
    # Bulk email only: recipients get all other email in any case. With a shared link, one could unsubscribe another.
    if message.stream != Stream.BULK:
        return False
    content = content_of(message)
    return not (content.to or content.cc or content.bcc)


def rendered(message: Message, language: str, secrets: Secrets = live_secrets) -> Rendered:
    """Render `message` in `language`. Raises RenderingError as `render` does."""

    def write() -> Rendered:
        data = data_of(message, language, site_data(), secrets)
        (prepared,) = prepared_for(message.kind, [data])
        content = (prepared and prepared.content(data)) or render_content(message.kind, data)
        return Rendered(content, fingerprint_of(message.kind, content, data), link_in(message, data))

    return in_language(language, write)


def in_language(language: str, write: Callable[[], T]) -> T:
    """Return what `write` returns in `language`. Raises RenderingError as `render` does."""

    def translated() -> T:
        with translation.override(language):
            return write()

    return _reported(translated)


def _reported(write: Callable[[], T]) -> T:
    try:
        return write()
    except MissingVariableError as error:
        problem, may_fit = f"MissingVariableError:{error}", True
    except (Exception, SystemExit) as error:
        if is_outage(error):
            raise
        problem, may_fit = type(error).__name__, may_fit_elsewhere(error)
    # Outside of the handlers: an error of a template may contain the values.
    raise RenderingError(problem, may_fit_elsewhere=may_fit)


def _rendered_in_some_language(message: Message) -> Rendered:
    language = message_language(message)
    if language == settings.LANGUAGE_CODE:
        return rendered(message, language)
    try:
        return rendered(message, language)
    except RenderingError as error:
        fallback = rendered(message, settings.LANGUAGE_CODE)
        logger.warning("cannot render %s in %s (%s); sent in %s", message.kind, language, error, settings.LANGUAGE_CODE)
        return fallback


def site_data() -> dict[str, Any]:
    # What all emails get.
    return {"site_name": settings.SITE_NAME, "site_url": settings.SITE_URL}


def data_of(message: Message, language: str, site: dict[str, Any], secrets: Secrets = live_secrets) -> dict[str, Any]:
    # What the templates get, apart from the subject. Calls the kind's functions, in the active language.
    kind, user = kinds.get(message.kind), message.user
    return {
        **site,
        **message.context,
        **(kind.context(user) if user else {}),
        **secrets(message),
        **_unnamed(message),
        "language": language,
        "happened_at": _happened_at(message),
    }


def recipient_name(message: Message) -> str:
    user = message.user
    return " ".join(users.display_name(user).split()) if user and users.has_confirmed(user, message.to_address) else ""


def _unnamed(message: Message) -> dict[str, str]:
    # Anyone can sign up with another person's address, under any name. So email to unconfirmed addresses has no name.
    user = message.user
    return {"name": ""} if user and not users.has_confirmed(user, message.to_address) else {}


def _happened_at(message: Message) -> datetime:
    # The time of the event, not of the email: a resend reports the same event later.
    while message.resend_of_id and message.resend_of:
        message = message.resend_of
    return message.created_at


def _sender_domain() -> str:
    # In ASCII, for a header.
    try:
        return bare_sender(settings.DEFAULT_FROM_EMAIL).rpartition("@")[2]
    except BadSenderError:
        # A system check reports this, and sending the message fails.
        return "invalid"


def message_id_of(message: Message) -> str:
    return f"<{message.id}@{_sender_domain()}>"


def headers_of(message: Message, kind: Kind, link: str) -> Mapping[str, str]:
    ours = {
        "Message-ID": message_id_of(message),
        # RFC 3834, and Exchange's equivalent: prevents automatic replies.
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        **_list_headers(link),
    }
    return merged(ours, kind.headers)


def _list_headers(url: str) -> dict[str, str]:
    # RFC 2369 and RFC 8058: email programs show a button, which posts exactly the second value to the link, which must
    # be https for that.
    promise = {_ONE_CLICK: links.ONE_CLICK} if url.lower().startswith("https://") else {}
    return {_UNSUBSCRIBE: f"<{url}>", **promise} if url else {}
