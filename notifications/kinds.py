"""The registry of the kinds of email that apps declare in their `emails.py` (docs/how-to/add-a-kind.md)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import autodiscover_modules

from notifications import users
from notifications.providers.base import given
from notifications.rules.addresses import NamedAddress
from notifications.rules.content import Attachment
from notifications.rules.states import Stream

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.utils.functional import _StrPromise as StrPromise

Context = dict[str, Any]


class DeliveryGuarantee(StrEnum):
    """What to do when the answer was lost: the provider may have accepted the email."""

    AT_LEAST_ONCE = "at least once"  # resend it after each lost answer: it may arrive twice
    AT_MOST_ONCE = "at most once"  # leave the decision to an operator: it may never arrive


def _no_context(user: Any) -> Context:
    return {}


def _always(user: Any) -> bool:
    return True


# The functions take the site's user model, hence Any.
@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of email, declared once. Its templates are in templates/emails/<name>/."""

    #: The name of its folder of templates, stored with every message.
    name: str
    #: What the recipient's account page calls it.
    title: "StrPromise | str" = ""
    #: What support staff answer a recipient who misses it, like "You asked for a new password %(when)s."
    occasion: "StrPromise | str" = ""
    #: Its budget and its queue.
    stream: Stream
    #: A message that was not sent within this time expires. A replay of a dead letter does not extend it.
    max_age: timedelta
    #: After this many provider calls without success, a message is a dead letter. A replay resets the count.
    max_attempts: int = 10
    #: Return the account's data for the templates, just before sending and for the admin's preview. Never a token.
    context: Callable[[Any], Context] = _no_context
    #: Create what only the recipient may know, such as a link with a token: functions, by the name that templates use.
    #: Called just before sending; a preview shows a placeholder. None: not known, so there is no preview.
    secrets: Mapping[str, Callable[[Any], str]] | None = field(default=None, compare=False)
    #: Decide, just before sending, whether the email is still relevant.
    is_relevant: Callable[[Any], bool] = _always
    #: Sent only to an account, at the address that `address` returns just before sending. So a resend of an old message
    #: never brings a new token to an address that the account no longer has.
    requires_account: bool = True
    #: Return the address of the account that this kind goes to.
    address: Callable[[Any], str] = users.address_of
    #: Also sent to users who are not active.
    to_inactive_users: bool = False
    #: An older message of this kind to the same user is not sent if there is a newer one.
    newest_wins: bool = False
    #: One message may go to an address with soft bounces after its cool-off, to test it.
    may_recheck: bool = False
    #: Sent to addresses that no user has confirmed: bounces damage the sender's reputation, so this kind is slowed down
    #: if many of them bounce (docs/explanation/bounce-brake.md).
    to_unconfirmed: bool = False
    #: Slowed down together with those, because its pace must not reveal whether an address has an account.
    hide_behind_sign_up: bool = False
    #: Whether the user's history lists it.
    in_history: bool = True
    #: What to do when a provider's answer was lost.
    guarantee: DeliveryGuarantee = DeliveryGuarantee.AT_LEAST_ONCE
    #: At most EMAIL_ADDRESS_HOURLY messages of it go to an address within an hour; the others are cancelled.
    has_hourly_limit: bool = True
    #: Its messages have their text with them, and no folder of templates.
    has_templates: bool = True
    #: Who gets the answers; a draft may say otherwise, as for the next three.
    reply_to: str | Sequence[str] = ()
    #: The sender; empty: DEFAULT_FROM_EMAIL.
    from_email: str = ""
    #: More headers. A draft's headers are added.
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    #: Labels for the provider's statistics. Never personal data.
    tags: Sequence[str] = ()
    #: Return the files of an email, made just before sending and never stored, from the account (or None) and the
    #: message's context. A draft's attachments follow them.
    attachments: Callable[[Any, Context], Sequence[Attachment]] | None = None
    #: The users that `manage.py announce` writes to. Its templates get `headline` and `paragraphs`.
    audience: "Callable[[], QuerySet[Any]] | None" = None
    #: An example of a message's context, for the preview.
    preview_context: Context = field(default_factory=dict, compare=False)

    @property
    def knows_its_secrets(self) -> bool:
        # The values of a message's own context are stored, so none of them is a secret.
        return self.secrets is not None or self.context is _no_context

    @property
    def answered_to(self) -> tuple[NamedAddress, ...]:
        return _answered_to(self.reply_to if isinstance(self.reply_to, str) else tuple(self.reply_to))

    @property
    def is_slowed(self) -> bool:
        # By the bounce brake.
        return self.to_unconfirmed or self.hide_behind_sign_up


@cache
def _answered_to(reply_to: str | tuple[str, ...]) -> tuple[NamedAddress, ...]:
    # Asked for each email.
    return given.people("reply_to", reply_to)


#: How long a message of an unknown kind waits for a worker that knows it, if its row has no expiry.
UNKNOWN_MAX_AGE_S = 2 * 86_400.0

KINDS: dict[str, Kind] = {}


class UnknownKindError(LookupError):
    """No app has registered a kind of this name."""


def register(kind: Kind) -> Kind:
    """Add a kind and return it.

    Raises ImproperlyConfigured if another declaration has its name, or a default of its emails cannot be sent.
    """
    _check_defaults(kind)
    if kind.name in KINDS and KINDS[kind.name] != kind:
        raise ImproperlyConfigured(f"Two different kinds of email are called {kind.name!r}.")
    return KINDS.setdefault(kind.name, kind)


def _check_defaults(kind: Kind) -> None:
    try:
        given.sender(kind.from_email), kind.answered_to, given.headers(kind.headers), given.tags(kind.tags)
    except ValueError as error:
        raise ImproperlyConfigured(f"The kind {kind.name!r} has a default that cannot be sent: {error}") from error


def discover() -> None:
    autodiscover_modules("emails")


def get(name: str) -> Kind:
    try:
        return KINDS[name]
    except KeyError:
        raise UnknownKindError(
            f"No kind of email is called {name!r}; known kinds: {', '.join(sorted(KINDS))}."
        ) from None


def with_templates() -> list[Kind]:
    return [kind for kind in KINDS.values() if kind.has_templates]


def to_unconfirmed() -> list[str]:
    # The kinds that are sent to addresses which no user has confirmed.
    return [kind.name for kind in KINDS.values() if kind.to_unconfirmed]
