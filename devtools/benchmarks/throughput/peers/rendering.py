"""Render this project's welcome email as the engine does: same templates, same inlined CSS."""

import json
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from anymail.backends.sendgrid import EmailBackend
from css_inline import CSSInliner
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.template import Context, Engine

ROOT = Path(__file__).parents[4]
SENDER = "Mailroom <site@example.com>"
_inliner = CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)


@lru_cache(maxsize=1)
def engine() -> Engine:
    libraries = {"i18n": "django.templatetags.i18n"}
    return Engine(dirs=[str(ROOT / "templates"), str(ROOT / "notifications" / "templates")], libraries=libraries)


def context_of(number: int) -> dict[str, Any]:
    """Return what the engine's kind adds to a message, as JSON types."""
    return {"name": f"Reader {number}", "confirmation_url": f"https://mail.example.com/confirm/{number:x}-c0ffee/"}


def render(context: dict[str, Any]) -> tuple[str, str, str]:
    """Return subject, text and HTML."""
    data = {
        "site_name": "Mailroom",
        "site_url": "https://mail.example.com",
        "language": "en",
        "valid_for": "3 days",
        "happened_at": datetime.now(UTC),
        **context,
    }
    data["subject"] = " ".join(_render("subject.txt", data, escape=False).split())
    text = _render("body.txt", data, escape=False)
    html = _render("body.html", data, escape=True)
    return data["subject"], re.sub(r"\n{3,}", "\n\n", text).strip(), _inliner.inline(html)


def _render(name: str, data: dict[str, Any], *, escape: bool) -> str:
    return engine().get_template(f"emails/welcome/{name}").render(Context({**data}, autoescape=escape))


class RenderingBackend(EmailBackend):  # type: ignore[misc]
    """Anymail for SendGrid. A message whose body is a context is rendered first."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        if os.environ.get("BENCH_RENDERS"):
            email_messages = [rendered(message) for message in email_messages]
        return int(super().send_messages(email_messages))


def rendered(message: EmailMessage) -> EmailMultiAlternatives:
    subject, text, html = render(json.loads(str(message.body)))
    return email_of(list(message.to), subject, text, html)


def email_of(to: list[str], subject: str, text: str, html: str) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(subject=subject, body=text, from_email=SENDER, to=to)
    message.attach_alternative(html, "text/html")
    return message
