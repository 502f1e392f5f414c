"""The catalogue: one declaration per kind of e-mail. Its name is a folder of templates under templates/emails/."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings

from accounts import links
from accounts.models import User
from notifications.states import Stream

Context = dict[str, Any]


class OnUncertain(StrEnum):
    """What to do when a provider may have taken a mail and nobody can tell."""

    RESEND_ONCE = "resend once"  # rather twice than never: once for every answer that was lost
    HOLD = "hold"  # rather never than twice


def no_context(user: User | None) -> Context:
    return {}


def always(user: User | None) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of e-mail.

    `context` gives the templates what the account says at the moment of sending; tokens are made there and nowhere
    else. `wanted` says at that moment whether the mail still makes sense. `for_owner`: only to the address that the
    account has then, so that an old resend never brings a fresh token to an old address. `newest_wins`: an older
    message of this kind to the same person is not sent once there is a newer one. `may_probe`: one message may go to an
    address with soft bounces after a cool-off, to see whether it takes mail again. `max_age` and `max_attempts` end its
    retries; a replay of a dead letter begins the attempts anew, not the age.
    """

    name: str
    stream: Stream
    max_age: timedelta
    context: Callable[[User], Context] = no_context
    wanted: Callable[[User], bool] = always
    for_owner: bool = True
    newest_wins: bool = False
    may_probe: bool = False
    max_attempts: int = 10
    on_uncertain: OnUncertain = OnUncertain.RESEND_ONCE


def confirmation(user: User) -> Context:
    return {"name": user.name, "confirmation_url": settings.SITE_URL + links.confirmation_path(user)}


def password_reset(user: User) -> Context:
    return {
        "name": user.name,
        "reset_url": settings.SITE_URL + links.password_reset_path(user),
        "valid_minutes": settings.PASSWORD_RESET_TIMEOUT // 60,
    }


def unconfirmed(user: User) -> bool:
    return user.confirmed_at is None


WELCOME = Kind(
    name="welcome",
    stream=Stream.DEFAULT,
    max_age=timedelta(days=2),
    context=confirmation,
    wanted=unconfirmed,
    newest_wins=True,
)
PASSWORD_RESET = Kind(
    name="password-reset",
    stream=Stream.CRITICAL,
    max_age=timedelta(hours=1),
    context=password_reset,
    newest_wins=True,
    may_probe=True,
)
# Its text comes with each message's own context: `headline` and `paragraphs`.
PRODUCT_NEWS = Kind(
    name="product-news",
    stream=Stream.BULK,
    max_age=timedelta(days=7),
    on_uncertain=OnUncertain.HOLD,
)

# Sent by `manage.py provider_check --send-to`; `sender` and `sent_from` come with the message's own context.
PROVIDER_TEST = Kind(
    name="provider-test",
    stream=Stream.CRITICAL,
    max_age=timedelta(hours=1),
    for_owner=False,
    on_uncertain=OnUncertain.HOLD,
)

KINDS = {kind.name: kind for kind in (WELCOME, PASSWORD_RESET, PRODUCT_NEWS, PROVIDER_TEST)}


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
