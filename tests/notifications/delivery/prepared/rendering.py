"""Render messages of one kind whose templates and contexts a test chooses. Without a database."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from unittest import mock
from uuid import uuid4

from django.conf import settings
from django.test import override_settings

from accounts import emails
from notifications import kinds
from notifications.delivery import render as rendering
from notifications.delivery.prepared import cache
from notifications.delivery.render import RenderingError, render
from notifications.models import Message

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAGE = "<!DOCTYPE html><html><head><style>p {{ color: red }} {css}</style></head><body>{body}</body></html>"


@contextmanager
def templates(*, subject="Subject", text="Text", html="<p>Text</p>", css="", others=None, **options):
    """Give the kind of the test these templates, and forget what was prepared before."""
    files = {
        "emails/example/subject.txt": subject,
        "emails/example/body.txt": text,
        "emails/example/body.html": PAGE.format(css=css, body=html),
        **(others or {}),
    }
    loader = ("django.template.loaders.cached.Loader", [("django.template.loaders.locmem.Loader", files)])
    engine = {**settings.TEMPLATES[0], "DIRS": [], "APP_DIRS": False, "OPTIONS": {"loaders": [loader], **options}}
    kind = mock.patch.dict(kinds.KINDS, example=replace(emails.ACCOUNT_DELETED, name="example"))
    with override_settings(TEMPLATES=[engine]), kind:
        cache.reset()
        yield


def message(*, created_at=NOON, **context):
    return Message(
        id=uuid4(), kind="example", to_address="ada@example.com", context=context, created_at=created_at, attempts=0
    )


def rendered(of):
    """Return the email, or the error's text."""
    try:
        return render(of, attempt=1)
    except RenderingError as error:
        return str(error)


def rendered_alone(of):
    """Return the email as it is without any preparation."""
    with mock.patch.object(rendering, "prepared_for", lambda kind, emails: [None for _ in emails]):
        return rendered(of)
