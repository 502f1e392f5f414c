"""Render messages that share one email together, for one call with many recipients."""

import secrets
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.utils import translation

from notifications import kinds
from notifications.delivery.engine import EmailTexts, subject_line
from notifications.delivery.fingerprint import REDACTED, fingerprint_of, secrets_in
from notifications.delivery.prepared.cache import prepared_for
from notifications.delivery.prepared.email import PreparedEmail, Slot, fill
from notifications.delivery.prepared.html import written
from notifications.delivery.render import (
    data_of,
    headers_of,
    link_in,
    message_language,
    recipient_name,
    sender_of,
    site_data,
)
from notifications.kinds import Kind
from notifications.models import Message
from notifications.providers.base.sending import BatchRecipient, OutgoingBatch
from notifications.runtime.database import is_outage


class _Member(NamedTuple):
    """A message, and what its email does not share with those of other recipients."""

    message: Message
    prepared: PreparedEmail
    values: list[str]
    data: dict[str, Any]


def batches(messages: Sequence[Message]) -> list[tuple[OutgoingBatch, list[Message]]]:
    """Return batches of messages that share one email, each with its messages in order.

    A batch has at least two recipients, and no message is in two batches. Call `render` for a message in none: it
    shares its email with no other, or cannot be rendered. Every attempt is the coming one; the users are loaded. Raises
    an outage of the database unchanged. Sets the messages' fingerprints.
    """
    by_email: defaultdict[int, list[_Member]] = defaultdict(list)
    for member in _members(messages):
        by_email[id(member.prepared)].append(member)
    return [(_batch(members), [each.message for each in members]) for members in by_email.values() if len(members) > 1]


def _members(messages: Sequence[Message]) -> Iterator[_Member]:
    alike: defaultdict[tuple[str, str], list[Message]] = defaultdict(list)
    for message in messages:
        alike[message.kind, message_language(message)].append(message)
    for (kind, language), group in alike.items():
        with translation.override(language):
            yield from _members_of(kind, language, group)


def _members_of(kind: str, language: str, messages: Sequence[Message]) -> list[_Member]:
    site = site_data()
    found = [(message, data) for message in messages if (data := _data_or_none(message, language, site)) is not None]
    members = []
    for (message, data), prepared in zip(found, _prepared(kind, [data for _, data in found]), strict=True):
        values = prepared.values_of(data) if prepared else None
        if prepared and values is not None:
            members.append(_Member(message, prepared, values, data))
    return members


def _data_or_none(message: Message, language: str, site: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return data_of(message, language, site)
    except (Exception, SystemExit) as error:
        if is_outage(error):
            raise
        return None


def _prepared(kind: str, emails: list[dict[str, Any]]) -> list[PreparedEmail | None]:
    try:
        return prepared_for(kind, emails) if emails else []
    except Exception:  # noqa: BLE001 - a template is missing or broken, which the usual rendering reports
        return [None] * len(emails)


def _set_fingerprints(members: Sequence[_Member]) -> None:
    # The email of an announcement is often the same for all, apart from its secrets, which a fingerprint leaves out.
    found: dict[tuple[str, ...], str] = {}
    for message, prepared, values, data in members:
        secrets_of_data = secrets_in(message.kind, data)
        key = tuple(REDACTED if value in secrets_of_data else value for value in values)
        if key not in found:
            subject, text, html = (fill(part, key) for part in (prepared.subject, prepared.text, prepared.html))
            found[key] = fingerprint_of(message.kind, EmailTexts(subject_line(subject), text, html), data)
        message.fingerprint = found[key]


def _batch(members: Sequence[_Member]) -> OutgoingBatch:
    _set_fingerprints(members)
    prepared, values = members[0].prepared, members[0].values
    differing = {number for number, value in enumerate(values) if any(each.values[number] != value for each in members)}
    # Random, so that no recipient's text contains one.
    prefix = f"m{secrets.token_hex(8)}x"
    slots = [slot for slot in prepared.slots() if slot.value in differing]
    tokens = {slot: f"{prefix}{number}z" for number, slot in enumerate(slots)}
    # White space in a subject depends on all of it, so each recipient has a whole one.
    has_subjects = any(isinstance(piece, Slot) and piece.value in differing for piece in prepared.subject)
    own_subject = f"{prefix}sz" if has_subjects else ""
    kind = kinds.get(members[0].message.kind)
    return OutgoingBatch(
        from_email=sender_of(kind),
        reply_to=kind.answered_to,
        tags=kind.tags,
        subject=own_subject or subject_line(fill(prepared.subject, values)),
        text=fill(prepared.text, values, tokens),
        html=fill(prepared.html, values, tokens),
        recipients=tuple(_recipient(member, kind, tokens, own_subject) for member in members),
    )


def _recipient(member: _Member, kind: Kind, tokens: dict[Slot, str], own_subject: str) -> BatchRecipient:
    message, prepared, values, data = member
    fields = {token: written(values[slot.value], slot.form) for slot, token in tokens.items()}
    if own_subject:
        fields[own_subject] = subject_line(fill(prepared.subject, values))
    return BatchRecipient(
        message_id=message.id,
        attempt=message.attempts + 1,
        to_address=message.to_address,
        to_name=recipient_name(message),
        headers=headers_of(message, kind, link_in(message, data)),
        fields=fields,
    )
