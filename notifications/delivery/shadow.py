"""Compose the copy of an email that another backend has sent, and compare both. Nothing is sent."""

from django.db.models.functions import Now

from notifications.delivery.render import RenderingError, render
from notifications.models import Message, ShadowCopy
from notifications.providers.base.compose import compose
from notifications.providers.base.digests import digests
from notifications.rules.shadow import differing_parts
from notifications.runtime.database import is_outage


def compare_copy(message: Message) -> None:
    """Note what differs. Does nothing for a resend or replay of a copy. Raises an outage of the database."""
    copy = ShadowCopy.objects.filter(id=message.id, composed_at=None).only("digests").first()
    if copy is None:
        return
    error = ""
    try:
        copy.differences = differing_parts(copy.digests, digests(compose(render(message, attempt=1))))
    except RenderingError as problem:
        error = str(problem)
    except Exception as problem:
        if is_outage(problem):
            raise
        error = type(problem).__name__
    changes = {"differences": copy.differences, "new_error": error[:100], "digests": {}}
    ShadowCopy.objects.filter(id=message.id).update(composed_at=Now(), **changes)
