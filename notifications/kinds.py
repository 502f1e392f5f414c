"""The catalogue: one declaration per kind of e-mail. Its name is a folder of templates under templates/emails/."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from notifications import contexts
from notifications.contexts import Context
from notifications.rules.states import Stream

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise


class OnUncertain(StrEnum):
    """What to do when a provider may have taken a mail and nobody can tell."""

    RESEND_ONCE = "resend once"  # rather twice than never: once for every answer that was lost
    HOLD = "hold"  # rather never than twice


def always(user: User | None) -> bool:
    return True


def own_address(user: User) -> str:
    return str(user.email)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of e-mail. `title` is what its recipient's account page calls it.

    `context` gives the templates what the account says at the moment of sending; tokens are made there and nowhere
    else. `wanted` says at that moment whether the mail still makes sense. `for_owner`: only to somebody's account, and
    only to what `address` says is its address then, so that an old resend never brings a fresh token to an old one.
    `newest_wins`: an older message of this kind to the same person is not sent once there is a newer one. `may_probe`:
    one message may go to an address with soft bounces after a cool-off, to see whether it takes mail again.
    `to_closed`: also to the owner of an account that was closed. `max_age` and `max_attempts` end its retries; a replay
    of a dead letter begins the attempts anew, not the age. `unproven`: it goes to addresses that nobody has confirmed
    yet, so its bounces put the sender's good name at risk and, if there are many, slow it down (docs/bounce-brake.md).
    `looks_unproven`: it is slowed with those, because whoever asked for it must not learn from its pace that the
    address is somebody's. `sample`: what a message's own context could be, for the preview.
    """

    name: str
    title: "StrPromise | str" = ""
    stream: Stream
    max_age: timedelta
    context: Callable[[User], Context] = contexts.no_context
    wanted: Callable[[User], bool] = always
    for_owner: bool = True
    address: Callable[[User], str] = own_address
    newest_wins: bool = False
    may_probe: bool = False
    to_closed: bool = False
    unproven: bool = False
    looks_unproven: bool = False
    max_attempts: int = 10
    on_uncertain: OnUncertain = OnUncertain.RESEND_ONCE
    sample: Context = field(default_factory=dict, compare=False)

    @property
    def is_slowed(self) -> bool:
        """Whether it stands in line while the bounce brake is on."""
        return self.unproven or self.looks_unproven


def unconfirmed(user: User) -> bool:
    return user.confirmed_at is None and user.replaced_at is None


def wants_news(user: User) -> bool:
    return user.wants_news


def new_address(user: User) -> str:
    return str(user.new_email)


# Of this one and the next no newer one wins: somebody else's second sign-up would show on the page of the first whether
# both were of one kind.
WELCOME = Kind(
    name="welcome",
    title=_("Confirm your address"),
    stream=Stream.DEFAULT,
    max_age=timedelta(days=2),
    context=contexts.confirmation,
    wanted=unconfirmed,
    unproven=True,
)
# Somebody signed up where there is an account. The page says the same to everybody; the owner hears the truth.
ACCOUNT_EXISTS = Kind(
    name="account-exists",
    title=_("You already have an account"),
    stream=Stream.DEFAULT,
    max_age=timedelta(days=1),
    context=contexts.account_pages,
    # Whoever signed up sees whether the mail went out, and must not see by that whether there is an account.
    looks_unproven=True,
    to_closed=True,
)
PASSWORD_RESET = Kind(
    name="password-reset",
    title=_("A new password"),
    stream=Stream.CRITICAL,
    max_age=timedelta(hours=1),
    context=contexts.password_reset,
    newest_wins=True,
    may_probe=True,
)
PASSWORD_CHANGED = Kind(
    name="password-changed",
    title=_("Your password was changed"),
    stream=Stream.CRITICAL,
    max_age=timedelta(days=2),
    context=contexts.account_pages,
)
ADDRESS_CHANGE = Kind(
    name="address-change",
    title=_("Confirm your new address"),
    stream=Stream.CRITICAL,
    max_age=timedelta(days=1),
    context=contexts.address_change,
    address=new_address,
    newest_wins=True,
    unproven=True,
)
# To the old address; `new_address` comes with the message's own context.
ADDRESS_CHANGED = Kind(
    name="address-changed",
    title=_("Your address was changed"),
    stream=Stream.CRITICAL,
    max_age=timedelta(days=2),
    context=contexts.account_pages,
    for_owner=False,
    sample={"new_address": "g…e@example.com"},
)
# The account is gone by then: `name` and `language` come with the message's own context.
ACCOUNT_DELETED = Kind(
    name="account-deleted",
    title=_("Your account is deleted"),
    stream=Stream.DEFAULT,
    max_age=timedelta(days=1),
    for_owner=False,
    sample={"name": "Ada Lovelace"},
)
# Its text comes with each message's own context: `headline` and `paragraphs`.
PRODUCT_NEWS = Kind(
    name="product-news",
    title=_("Product news"),
    stream=Stream.BULK,
    max_age=timedelta(days=7),
    context=contexts.preferences,
    wanted=wants_news,
    on_uncertain=OnUncertain.HOLD,
    sample={
        "headline": "You see where your mail is",
        "paragraphs": [
            "Whoever signs up now sees at once whether our mail has arrived, and can correct a mistyped address.",
            "There is nothing to switch on: it is there the next time you look.",
        ],
    },
)

# Sent by `manage.py provider_check --send-to`; `sender` and `sent_from` come with the message's own context.
PROVIDER_TEST = Kind(
    name="provider-test",
    title=_("A test"),
    stream=Stream.CRITICAL,
    max_age=timedelta(hours=1),
    for_owner=False,
    on_uncertain=OnUncertain.HOLD,
    sample={"sender": "An operator", "sent_from": "mail-1.example.com"},
)

KINDS = {
    kind.name: kind
    for kind in (
        *(WELCOME, ACCOUNT_EXISTS, PASSWORD_RESET, PASSWORD_CHANGED, ADDRESS_CHANGE, ADDRESS_CHANGED, ACCOUNT_DELETED),
        *(PRODUCT_NEWS, PROVIDER_TEST),
    )
}


def unproven() -> list[str]:
    """Return the names of the kinds that go to addresses which nobody has confirmed."""
    return [kind.name for kind in KINDS.values() if kind.unproven]


# A message of an unknown kind waits so long for a worker that knows it, where its row does not say.
UNKNOWN_MAX_AGE_S = 2 * 86_400.0


class UnknownKindError(LookupError):
    """There is no such declaration in the catalogue."""


def get(name: str) -> Kind:
    """Return the declaration called `name`. Raises UnknownKindError."""
    try:
        return KINDS[name]
    except KeyError:
        raise UnknownKindError(
            f"No kind of e-mail is called {name!r}; there are: {', '.join(sorted(KINDS))}."
        ) from None
