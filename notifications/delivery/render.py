"""Render a message into an email. Tokens are created here and never stored."""

import logging
from datetime import datetime
from typing import Any

from django.utils import translation

from notifications import kinds, users
from notifications.conf import settings
from notifications.delivery.engine import Content, MissingVariableError, render_content
from notifications.delivery.misfit import may_fit_elsewhere
from notifications.delivery.prepared.cache import prepared_for
from notifications.models import Message
from notifications.providers.base.compose import BadSenderError, bare_sender
from notifications.providers.base.sending import OutgoingEmail
from notifications.runtime.database import is_outage

logger = logging.getLogger(__name__)


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
    language is rendered in the site's. An outage of the database is raised unchanged.
    """
    content = _content_in_some_language(message)
    return OutgoingEmail(
        message_id=message.id,
        attempt=attempt,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to_address=message.to_address,
        to_name=recipient_name(message),
        subject=content.subject,
        text=content.text,
        html=content.html,
        headers=headers_of(message),
    )


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


def content(message: Message, language: str) -> Content:
    """Render `message` in `language`. Raises RenderingError as `render` does."""
    try:
        with translation.override(language):
            data = data_of(message, language, site_data())
            (prepared,) = prepared_for(message.kind, [data])
            return (prepared and prepared.content(data)) or render_content(message.kind, data)
    except MissingVariableError as error:
        problem, may_fit = f"MissingVariableError:{error}", True
    except (Exception, SystemExit) as error:
        if is_outage(error):
            raise
        problem, may_fit = type(error).__name__, may_fit_elsewhere(error)
    raise RenderingError(problem, may_fit_elsewhere=may_fit)


def _content_in_some_language(message: Message) -> Content:
    language = message_language(message)
    if language == settings.LANGUAGE_CODE:
        return content(message, language)
    try:
        return content(message, language)
    except RenderingError as error:
        fallback = content(message, settings.LANGUAGE_CODE)
        logger.warning("cannot render %s in %s (%s); sent in %s", message.kind, language, error, settings.LANGUAGE_CODE)
        return fallback


def site_data() -> dict[str, Any]:
    # What all emails get.
    return {"site_name": settings.SITE_NAME, "site_url": settings.SITE_URL}


def data_of(message: Message, language: str, site: dict[str, Any]) -> dict[str, Any]:
    # What the templates get, apart from the subject. Calls the kind's context function, in the active language.
    kind, user = kinds.get(message.kind), message.user
    return {
        **site,
        **message.context,
        **(kind.context(user) if user else {}),
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


def headers_of(message: Message) -> dict[str, str]:
    domain = _sender_domain()
    return {
        "Message-ID": f"<{message.id}@{domain}>",
        # RFC 3834, and Exchange's equivalent: prevents automatic replies.
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
    }
