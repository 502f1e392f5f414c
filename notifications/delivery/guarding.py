"""Redirect email just before a provider is called, while a guard is on."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeVar

from notifications.conf.guard import current_guard
from notifications.models import Message
from notifications.providers.base.sending import BatchRecipient, OutgoingEmail
from notifications.rules.addresses import NamedAddress
from notifications.rules.guard import LEFT_OUT, REDIRECTED, Guard

ORIGINAL_TO = "X-Original-To"
_FURTHER = ("more_to", "cc", "bcc")
M = TypeVar("M", OutgoingEmail, BatchRecipient)
Lists = dict[str, list[NamedAddress]]


def apply_guard(mail: M) -> M:
    """Return the email as it may be sent.

    It goes to REDIRECT_TO once, for all recipients who must get no email; a header names them. Without REDIRECT_TO,
    they are left out.
    """
    guard = current_guard()
    if not guard.is_on:
        return mail
    further: Lists = {name: list(people) for name in _FURTHER if (people := getattr(mail, name, ()))}
    rest = {name: [one for one in people if guard.lets_through(one.address)] for name, people in further.items()}
    if guard.lets_through(mail.to_address) and rest == further:
        return mail
    changes: dict[str, Any] = _redirected(mail, rest, guard) if guard.redirect_to else {**rest}
    return replace(mail, **changes)


def _redirected(mail: OutgoingEmail | BatchRecipient, rest: Lists, guard: Guard) -> dict[str, Any]:
    # Providers refuse an email that names an address twice.
    box, is_first = guard.redirect_to, guard.redirects(mail.to_address)
    if is_first:
        rest = {name: [one for one in people if one.address.lower() != box] for name, people in rest.items()}
    elif box not in {mail.to_address.lower(), *(one.address.lower() for people in rest.values() for one in people)}:
        rest = rest | {"cc": [*rest.get("cc", ()), NamedAddress(box)]}
    # Those who do get the email must not see the hidden ones.
    named = _FURTHER if is_first and not any(rest.values()) else ("more_to", "cc")
    asked = [mail.to_address, *(one.address for name in named for one in getattr(mail, name, ()))]
    kept_from = ", ".join(address for address in asked if not guard.lets_through(address))
    headers = {**mail.headers, ORIGINAL_TO: kept_from} if kept_from else mail.headers
    return {**rest, "to_address": box if is_first else mail.to_address, "headers": headers}


def guard_note(message: Message) -> str:
    # What the guard did to the email, for the record of its attempt; empty if nothing.
    guard = current_guard()
    if not guard.is_on or all(map(guard.lets_through, _everyone(message))):
        return ""
    return REDIRECTED.format(address=guard.redirect_to) if guard.redirect_to else LEFT_OUT


def _everyone(message: Message) -> Iterable[str]:
    further = message.content.further if message.content else ()
    return [message.to_address, *(one.address for one in further)]
