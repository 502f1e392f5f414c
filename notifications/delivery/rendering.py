"""From a message and its kind to the mail that goes out. Tokens come into being here and live in memory only."""

from typing import Any

from css_inline import CSSInliner
from django.conf import settings
from django.db import Error as DatabaseError
from django.template import Context
from django.template.backends.django import Template
from django.template.loader import get_template

from notifications import kinds
from notifications.models import Message
from notifications.providers.mail import OutgoingMail

# Gmail and Outlook drop or ignore much of <style>. Media queries cannot be inlined and stay; nothing is loaded.
_inliner = CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)


class RenderingError(Exception):
    """The templates and the context of this message do not fit. The text names the error's type, never its values."""


def render(message: Message, *, attempt: int) -> OutgoingMail:
    """Return the mail of `message` for the coming attempt.

    Raises RenderingError for whatever a template or a context function raises: no other message suffers for it. Errors
    of the database are not the message's fault and pass through.
    """
    try:
        subject, text, html = _parts(message)
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - templates and contexts are an adopter's code and may raise anything
        problem = type(error).__name__
    else:
        return OutgoingMail(
            message_id=message.id,
            attempt=attempt,
            from_email=settings.DEFAULT_FROM_EMAIL,
            to_address=message.to_address,
            to_name=" ".join(message.user.get_full_name().split()) if message.user else "",
            subject=" ".join(subject.split()),
            text=text,
            html=html,
            headers=_headers(message),
        )
    raise RenderingError(problem)


def _parts(message: Message) -> tuple[str, str, str]:
    kind = kinds.get(message.kind)
    data: dict[str, Any] = {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        **message.context,
        **(kind.context(message.user) if message.user else {}),
    }
    folder = f"emails/{kind.name}"
    return (
        _render(f"{folder}/subject.txt", data, escape=False),
        _render(f"{folder}/body.txt", data, escape=False),
        _inliner.inline(_render(f"{folder}/body.html", data, escape=True)),
    )


def _render(name: str, data: dict[str, Any], *, escape: bool) -> str:
    found = get_template(name)
    assert isinstance(found, Template)  # noqa: S101 - the only engine in settings.TEMPLATES
    return str(found.template.render(Context(data, autoescape=escape)))


def _headers(message: Message) -> dict[str, str]:
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip("> ")
    return {
        "Message-ID": f"<{message.id}@{domain}>",
        # RFC 3834, and Exchange's own way of saying it: no out-of-office answers, please.
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
    }
