"""The address that mail is sent from, as providers and the DNS are asked about it."""

from email.utils import parseaddr

from notifications.conf import settings
from notifications.providers.base import compose


def sender_address() -> str:
    """Return the bare address of DEFAULT_FROM_EMAIL in ASCII, as it is sent; that there is one, a system check sees."""
    try:
        return compose.sender_address(settings.DEFAULT_FROM_EMAIL).lower()
    except compose.BadSenderError:
        return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].lower()


def sender_domain() -> str:
    return sender_address().rpartition("@")[2]


def with_parents(domain: str) -> list[str]:
    """Return a domain and those above it, the nearest first, without the top-level one."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(max(len(labels) - 1, 1))]
