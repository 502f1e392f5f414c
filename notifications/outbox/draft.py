"""What an application asks to send, and its check before anything is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser

from notifications.conf import settings
from notifications.kinds import Kind
from notifications.providers.base import given
from notifications.providers.base.given import BadContentError
from notifications.rules.addresses import NamedAddress, one_address
from notifications.rules.content import Attachment, Content

#: Amazon SES takes this many in one email, and Postmark as many of each sort.
MOST_RECIPIENTS = 50
Addresses = str | Sequence[str]
_LONGEST_CLIENT = 32


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What to send, and to whom.

    `to` is an address or a list of them; in lists, and in `cc`, `bcc`, `reply_to` and `from_email`, an address may have
    a name: "Ada <ada@example.com>". The first of `to` counts: for suppression, the outcome and the account. One email
    goes to all, who see each other, except `bcc`. What is empty comes from the kind.

    `key` is the idempotency key: there is one message for one key. `send_at` is when to send it, and `max_age` counts
    from then. `id` is for a caller that needs the message's id in advance. `client` identifies the client whose request
    causes the message: the bounce brake treats clients fairly.
    """

    kind: str
    to: Addresses
    user: AbstractBaseUser | None = None
    key: str = ""
    client: str = ""
    id: UUID | None = None
    context: dict[str, Any] = field(default_factory=dict)
    cc: Addresses = ()
    bcc: Addresses = ()
    reply_to: Addresses = ()
    from_email: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    tags: Sequence[str] = ()
    attachments: Sequence[Attachment] = ()
    send_at: datetime | None = None

    @property
    def is_plain(self) -> bool:
        # Of most drafts, thousands in one call: their check must cost nothing.
        beyond = self.cc or self.bcc or self.reply_to or self.from_email or self.headers or self.tags
        return isinstance(self.to, str) and not (beyond or self.attachments or self.send_at)


def checked_origin(draft: Draft) -> tuple[Any, str]:
    """Return the account and the client that a message is for. Raises BadContentError."""
    user = draft.user
    # Written without its account, the message would never be sent.
    if user is not None and not (isinstance(user, get_user_model()) and user.pk is not None):
        raise BadContentError("user must be a saved user, or None for a recipient without an account")
    if not isinstance(draft.client, str):
        raise BadContentError("client must be text")
    return user, draft.client[:_LONGEST_CLIENT]


def recipients_of(draft: Draft) -> tuple[NamedAddress, ...]:
    """Return those of `to`, at least one: the first counts. Raises BadAddressError."""
    # A form may hand over what a user typed, which must not have a name.
    if isinstance(draft.to, str):
        return (NamedAddress(one_address(draft.to)),)
    return given.people("to", draft.to) or (NamedAddress(one_address("")),)


def checked_content(draft: Draft, to: Sequence[NamedAddress], kind: Kind) -> Content | None:
    """Return what is stored beside the message; None if that is nothing.

    Raises BadAddressError and BadContentError.
    """
    if draft.is_plain:
        return None
    _check_time(draft, kind)
    known = {to[0].address.lower()}
    content = Content(
        to_name=to[0].name,
        to=_unknown(to, known),
        cc=_unknown(given.people("cc", draft.cc), known),
        bcc=_unknown(given.people("bcc", draft.bcc), known),
        reply_to=given.people("reply_to", draft.reply_to),
        from_email=given.sender(draft.from_email),
        headers=given.headers(draft.headers),
        tags=given.tags(draft.tags),
        attachments=given.files(draft.attachments),
    )
    if content.is_empty:
        return None
    if content.further and kind.secrets:
        raise BadContentError("a kind with secrets goes to its account alone: further recipients would get them")
    if len(known) > MOST_RECIPIENTS:
        raise BadContentError(f"an email has at most {MOST_RECIPIENTS} recipients, and this one has {len(known)}")
    if content.size > settings.EMAIL_MAX_BYTES:
        raise BadContentError(f"its files and text have {content.size} bytes; EMAIL_MAX_BYTES allows less")
    return content


def _unknown(people: Sequence[NamedAddress], known: set[str]) -> tuple[NamedAddress, ...]:
    # Each recipient once, at the first place: some providers refuse an email that names one twice.
    found = []
    for one in people:
        if one.address.lower() not in known:
            known.add(one.address.lower())
            found.append(one)
    return tuple(found)


def _check_time(draft: Draft, kind: Kind) -> None:
    if draft.send_at is None:
        return
    given.moment("send_at", draft.send_at)
    if kind.is_slowed:
        raise BadContentError("send_at is not for kinds that the bounce brake slows down")
