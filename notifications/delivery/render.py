"""Render a message into an email. Tokens are created here and never stored."""

import logging
import re
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn

from css_inline import CSSInliner
from django.template import Context, Engine
from django.utils import translation

from notifications import kinds, users
from notifications.conf import settings
from notifications.delivery.misfit import may_fit_elsewhere
from notifications.models import Message
from notifications.providers.base.compose import BadSenderError, bare_sender
from notifications.providers.base.sending import OutgoingEmail
from notifications.runtime.database import is_outage

logger = logging.getLogger(__name__)

# Gmail and Outlook ignore much of <style>, so styles are inlined, except media queries. Nothing is loaded.
_inliner = CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)


class RenderingError(Exception):
    """The templates and the context of this message do not fit.

    The error's text names its type, never its values. `may_fit_elsewhere`: another version of the code may render it.
    """

    def __init__(self, problem: str, *, may_fit_elsewhere: bool = False) -> None:
        super().__init__(problem)
        self.may_fit_elsewhere = may_fit_elsewhere


class MissingVariableError(LookupError):
    """A template uses a variable that has no value. The error's text is its name."""


class BrokenTranslationError(ValueError):
    """A translated sentence cannot be filled in. One of its placeholders is misspelt or missing."""


class Content(NamedTuple):
    subject: str
    text: str
    html: str


class _MissingVariable(str):
    """Raise when Django's engine inserts it for a missing variable, formatted with its name.

    An error is better than thousands of emails with a gap. `{% if %}` and `{% for %}` do not use this, so a template
    can handle an optional variable.
    """

    __slots__ = ()

    def __mod__(self, variable: object) -> NoReturn:
        raise MissingVariableError(str(variable))


class _OneLanguage(Context):
    """Raise where Django would insert the untranslated sentence, so that no email mixes languages.

    For the untranslated sentence, Django turns translation off and adds the variables with `update`.
    """

    def update(self, other_dict: dict[str, Any] | Context) -> Any:
        if translation.get_language() is None:
            raise BrokenTranslationError
        return super().update(other_dict)


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
        to_name=_name_of(message),
        subject=content.subject,
        text=content.text,
        html=content.html,
        headers=_headers(message),
    )


def message_language(message: Message) -> str:
    # The recipient's, if the site has it.
    language = users.language_of(message.user) if message.user else ""
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
            return _content(message, language)
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


def _content(message: Message, language: str) -> Content:
    kind = kinds.get(message.kind)
    data: dict[str, Any] = {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        **message.context,
        **(kind.context(message.user) if message.user else {}),
        **_unnamed(message),
        "language": language,
        "happened_at": _happened_at(message),
    }
    folder = f"emails/{kind.name}"
    data["subject"] = " ".join(_render(f"{folder}/subject.txt", data, escape=False).split())
    text = _render(f"{folder}/body.txt", data, escape=False)
    html = _render(f"{folder}/body.html", data, escape=True)
    # Template tags leave blank lines.
    return Content(data["subject"], re.sub(r"\n{3,}", "\n\n", text).strip(), _inliner.inline(html))


def _is_confirmed(message: Message) -> bool:
    # Whether the account has confirmed the address of the message.
    user = message.user
    return user is not None and users.has_confirmed(user, message.to_address)


def _name_of(message: Message) -> str:
    return " ".join(users.display_name(message.user).split()) if message.user and _is_confirmed(message) else ""


def _unnamed(message: Message) -> dict[str, str]:
    # Anyone can sign up with another person's address, under any name. So email to unconfirmed addresses has no name.
    return {"name": ""} if message.user and not _is_confirmed(message) else {}


def _happened_at(message: Message) -> datetime:
    # The time of the event, not of the email: a resend reports the same event later.
    while message.resend_of:
        message = message.resend_of
    return message.created_at


def _render(name: str, data: dict[str, Any], *, escape: bool) -> str:
    context_class = Context if data["language"] == settings.LANGUAGE_CODE else _OneLanguage
    return str(_engine(Engine.get_default()).get_template(name).render(context_class({**data}, autoescape=escape)))


@lru_cache(maxsize=1)
def _engine(site: Engine) -> Engine:
    # The site's engine, except that a missing variable is an error.
    return Engine(
        dirs=site.dirs,
        loaders=site.loaders,
        libraries=site.libraries,
        builtins=[name for name in site.builtins if name not in Engine.default_builtins],
        string_if_invalid=_MissingVariable("%s"),
    )


def _sender_domain() -> str:
    # In ASCII, for a header.
    try:
        return bare_sender(settings.DEFAULT_FROM_EMAIL).rpartition("@")[2]
    except BadSenderError:
        # A system check reports this, and sending the message fails.
        return "invalid"


def _headers(message: Message) -> dict[str, str]:
    domain = _sender_domain()
    return {
        "Message-ID": f"<{message.id}@{domain}>",
        # RFC 3834, and Exchange's equivalent: prevents automatic replies.
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
    }
