"""The registry of kinds: every app declares its own in its `emails.py` (docs/how-to/add-a-kind.md)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import autodiscover_modules

from notifications import users
from notifications.rules.states import Stream

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.utils.functional import _StrPromise as StrPromise

Context = dict[str, Any]


class DeliveryGuarantee(StrEnum):
    """What to do when the answer was lost: the provider may have accepted the email."""

    AT_LEAST_ONCE = "at least once"  # resend it once for every lost answer: it may arrive twice
    AT_MOST_ONCE = "at most once"  # leave it to an operator: it may never arrive


def _no_context(user: Any) -> Context:
    return {}


def _always(user: Any) -> bool:
    return True


# The functions take the site's own user model, whatever it is: hence Any.
@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of email, declared once. Its templates are in templates/emails/<name>/."""

    #: Names the folder of templates, and is stored with every message.
    name: str
    #: What the recipient's account page calls it.
    title: "StrPromise | str" = ""
    #: Which budget and which queue it takes.
    stream: Stream
    #: A message that could not be sent in this time expires. A replay of a dead letter does not extend it.
    max_age: timedelta
    #: After so many provider calls without success it is a dead letter. A replay counts anew.
    max_attempts: int = 10
    #: What the account says to the templates at the moment of sending. Tokens are made here and nowhere else.
    context: Callable[[Any], Context] = _no_context
    #: Decide, at the moment of sending, whether the email still makes sense.
    is_relevant: Callable[[Any], bool] = _always
    #: Only to an account, and only to what `address` says is its address at the moment of sending. So a resend of an
    #: old message never brings a fresh token to an address that the account has left.
    requires_account: bool = True
    #: Return the address of the account that this kind goes to.
    address: Callable[[Any], str] = users.address_of
    #: Also to the owner of an account that was closed.
    to_inactive_users: bool = False
    #: An older message of this kind to the same user is not sent once there is a newer one.
    newest_wins: bool = False
    #: One message may go to an address with soft bounces after its cool-off, to see whether it takes email again.
    may_recheck: bool = False
    #: It goes to addresses that no user has confirmed yet: its bounces put the sender's reputation at risk, and slow it
    #: down if there are many (docs/explanation/bounce-brake.md).
    to_unconfirmed: bool = False
    #: It is slowed down with those, because its pace must not tell a stranger whether the address has an account.
    hide_behind_sign_up: bool = False
    #: Whether the user's history lists it.
    in_history: bool = True
    #: What to do when a provider's answer was lost.
    guarantee: DeliveryGuarantee = DeliveryGuarantee.AT_LEAST_ONCE
    #: The users that `manage.py announce` writes to. Its templates get `headline` and `paragraphs`.
    audience: "Callable[[], QuerySet[Any]] | None" = None
    #: What a message's own context may be, for the preview.
    preview_context: Context = field(default_factory=dict, compare=False)

    @property
    def is_slowed(self) -> bool:
        # By the bounce brake.
        return self.to_unconfirmed or self.hide_behind_sign_up


# A message of an unknown kind waits so long for a worker that knows it, where its row does not say.
UNKNOWN_MAX_AGE_S = 2 * 86_400.0

KINDS: dict[str, Kind] = {}


class UnknownKindError(LookupError):
    """No app has registered a kind of this name."""


def register(kind: Kind) -> Kind:
    """Add a kind and return it. Raises ImproperlyConfigured if another declaration has its name."""
    if kind.name in KINDS and KINDS[kind.name] != kind:
        raise ImproperlyConfigured(f"Two different kinds of email are called {kind.name!r}.")
    return KINDS.setdefault(kind.name, kind)


def discover() -> None:
    autodiscover_modules("emails")


def get(name: str) -> Kind:
    """Return the kind called `name`. Raises UnknownKindError."""
    try:
        return KINDS[name]
    except KeyError:
        raise UnknownKindError(f"No kind of email is called {name!r}; there are: {', '.join(sorted(KINDS))}.") from None


def to_unconfirmed() -> list[str]:
    # These go to addresses which no user has confirmed.
    return [kind.name for kind in KINDS.values() if kind.to_unconfirmed]
