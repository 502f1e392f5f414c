"""Decide which recipients get email while a staging system must not write to real people. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from notifications.rules.addresses import BadAddressError, one_address

# What the guard did to an email, as its attempt records it.
REDIRECTED = "redirected to {address}"
LEFT_OUT = "recipients who are not in ONLY_TO were left out"


@dataclass(frozen=True, kw_only=True)
class Guard:
    """Addresses and domains that get their email, and the address that gets all other email. Lower-cased.

    Without `redirect_to`, other email is not sent. Without both, the guard is off.
    """

    only_to: frozenset[str] = frozenset()
    redirect_to: str = ""

    @classmethod
    def of(cls, only_to: Iterable[str], redirect_to: str) -> Self:
        """Make the guard of these settings. Text that is no address or domain stays, and matches no recipient."""
        names = frozenset(canonical_recipient(text) or text for text in only_to)
        return cls(only_to=names, redirect_to=canonical_recipient(redirect_to) or redirect_to)

    @property
    def is_on(self) -> bool:
        return bool(self.only_to or self.redirect_to)

    def lets_through(self, address: str) -> bool:
        address = address.lower()
        if address == self.redirect_to:
            return True
        return not self.is_on or address in self.only_to or address.rpartition("@")[2] in self.only_to

    def withholds(self, address: str) -> bool:
        return not self.redirect_to and not self.lets_through(address)

    def redirects(self, address: str) -> bool:
        return bool(self.redirect_to) and not self.lets_through(address)

    def destination(self, address: str) -> str:
        # Of email that is not withheld.
        return self.redirect_to if self.redirects(address) else address


def canonical_recipient(text: str) -> str:
    # An address or a domain as recipients' addresses are stored; empty if it is neither.
    has_local = "@" in text.removeprefix("@")
    try:
        address = one_address(text if has_local else f"x@{text.removeprefix('@')}").lower()
    except BadAddressError:
        return ""
    return address if has_local else address.removeprefix("x@")
