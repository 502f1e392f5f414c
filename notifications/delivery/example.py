"""Render an example of a kind of email, for the user of PREVIEW_USER."""

from typing import Any, cast

from django.utils import timezone

from notifications import links, users
from notifications.delivery.engine import EmailTexts
from notifications.delivery.render import RenderingError, rendered, secrets_of_account, unsubscribe_link
from notifications.kinds import Kind
from notifications.models import Message


def example(kind: Kind, language: str) -> tuple[EmailTexts | None, str]:
    """Return the email, or None and the error."""
    message = example_message(kind, language)
    try:
        return rendered(message, language, _sample_secrets).content, ""
    except RenderingError as error:
        return None, f"{kind.name} cannot be rendered: {error}"


def example_message(kind: Kind, language: str) -> Message:
    user = users.preview_user(language)
    return Message(
        kind=kind.name,
        stream=kind.stream,
        user=cast("Any", user),
        to_address=users.address_of(user),
        context=kind.preview_context,
        created_at=timezone.now(),
    )


def _sample_secrets(message: Message) -> dict[str, str]:
    # The links of the user of the examples open nothing, but the address may be real.
    return secrets_of_account(message) | unsubscribe_link(message, links.dead_unsubscribe_url())
