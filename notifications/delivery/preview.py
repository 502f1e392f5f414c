"""Render a message again to show what was sent, or what would be sent. No secret is created for it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.utils.html import format_html

from notifications import kinds, links
from notifications.conf import settings
from notifications.delivery.content import NoContentError, content_of
from notifications.delivery.engine import EmailTexts, render_content
from notifications.delivery.fingerprint import Fingerprint, fingerprint_of
from notifications.delivery.render import (
    RenderingError,
    data_of,
    in_language,
    message_language,
    site_data,
    unsubscribe_link,
)
from notifications.kinds import UnknownKindError
from notifications.models import DeliveryAttempt, Message
from notifications.rules.content import Body
from notifications.rules.states import Status

#: Stands for each secret. It opens nothing, also as the address of a link.
PLACEHOLDER = "removed-from-preview"
_SENT = {Status.SENT, Status.UNCERTAIN}


class Likeness(StrEnum):
    """How a preview compares with what was sent."""

    EXACT = "exact"
    TEMPLATE_CHANGED = "template changed"
    DATA_CHANGED = "data changed"  # or a translation or setting
    UNKNOWN = "unknown"  # no fingerprint was kept
    NOT_SENT = "not sent"  # it shows what would be sent now


class Missing(StrEnum):
    """Why there is no preview."""

    ANONYMIZED = "anonymized"
    NO_ACCOUNT = "no account"
    UNKNOWN_KIND = "unknown kind"
    UNKNOWN_SECRETS = "unknown secrets"  # its kind does not say which values only the recipient may know
    BROKEN = "broken"
    PURGED = "purged"  # the stored text was deleted


class NoPreviewError(Exception):
    """There is no preview. `detail` names the error of a template."""

    def __init__(self, reason: Missing, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, kw_only=True)
class Preview:
    content: EmailTexts
    language: str
    likeness: Likeness


def render_again(message: Message) -> Preview:
    """Render the message with placeholders, and compare it with what was sent. Raises NoPreviewError.

    In the language that was sent, if it is known.
    """
    if reason := _reason_against(message):
        raise NoPreviewError(reason)
    if body := _stored_body(message):
        likeness = Likeness.EXACT if message.status in _SENT else Likeness.NOT_SENT
        return Preview(content=_texts_of(body), language=settings.LANGUAGE_CODE, likeness=likeness)
    kept = _kept(message) if message.status in _SENT else None
    try:
        return _compared(message, kept, kept.language if kept else message_language(message))
    except RenderingError as error:
        if kept or message_language(message) == settings.LANGUAGE_CODE:
            raise _broken(message, error) from None
    try:
        # As when it is sent.
        return _compared(message, kept, settings.LANGUAGE_CODE)
    except RenderingError as error:
        raise _broken(message, error) from None


def _broken(message: Message, error: RenderingError) -> NoPreviewError:
    # A finished email has no templates.
    is_purged = message.has_content and message.content is None
    return NoPreviewError(Missing.PURGED) if is_purged else NoPreviewError(Missing.BROKEN, str(error))


def _stored_body(message: Message) -> Body | None:
    try:
        return content_of(message).finished
    except NoContentError:
        return None


def _texts_of(body: Body) -> EmailTexts:
    html = body.text if body.subtype == "html" else ""
    html = html or next((one.content for one in body.alternatives if one.mimetype == "text/html"), "")
    return EmailTexts(body.subject, body.text, html or str(format_html("<pre>{}</pre>", body.text)))


def likeness_of(status: Status, kept: Fingerprint | None, found: Iterable[Fingerprint]) -> Likeness:
    """Compare the fingerprint that was kept with those of the same email rendered again. Pure."""
    if status not in _SENT:
        return Likeness.NOT_SENT
    found = list(found)
    if kept is None or not found:
        return Likeness.UNKNOWN
    if kept.rendering in {one.rendering for one in found}:
        return Likeness.EXACT
    return Likeness.DATA_CHANGED if kept.templates == found[0].templates else Likeness.TEMPLATE_CHANGED


def dead_secrets(message: Message) -> dict[str, str]:
    names = (kinds.get(message.kind).secrets or ()) if message.user else ()
    return dict.fromkeys(names, PLACEHOLDER) | unsubscribe_link(message, links.dead_unsubscribe_url())


def _reason_against(message: Message) -> Missing | None:
    if message.anonymized_at:
        return Missing.ANONYMIZED
    try:
        kind = kinds.get(message.kind)
    except UnknownKindError:
        return Missing.UNKNOWN_KIND
    if not kind.knows_its_secrets:
        return Missing.UNKNOWN_SECRETS
    return Missing.NO_ACCOUNT if kind.requires_account and message.user is None else None


def _kept(message: Message) -> Fingerprint | None:
    # Of the attempt that was accepted, or else of the last one. A row of an attempt is small, and they are few.
    attempts = sorted(
        message.delivery_attempts.all(),
        key=lambda one: (one.result == DeliveryAttempt.Result.ACCEPTED, one.number),
    )
    return Fingerprint.parse(attempts[-1].fingerprint) if attempts else None


def _compared(message: Message, kept: Fingerprint | None, language: str) -> Preview:
    versions = in_language(language, lambda: list(_versions(message, language)))
    status = Status(message.status)
    for content, found in versions:
        if likeness_of(status, kept, found) is Likeness.EXACT:
            return Preview(content=content, language=language, likeness=Likeness.EXACT)
    content, found = versions[0]
    return Preview(content=content, language=language, likeness=likeness_of(status, kept, found))


def _versions(message: Message, language: str) -> Iterator[tuple[EmailTexts, list[Fingerprint]]]:
    # As it is rendered now, and without the name: the address may have been confirmed since, which adds it.
    data = data_of(message, language, site_data(), dead_secrets)
    for version in [data, data | {"name": ""}] if data.get("name") else [data]:
        content = render_content(message.kind, version)
        texts = [fingerprint_of(message.kind, content, version, key) for key in _secret_keys()]
        yield content, [found for text in texts if (found := Fingerprint.parse(text))]


def _secret_keys() -> list[str]:
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
