"""The sender's address and domain, in lower case."""

from email.utils import parseaddr

from notifications.conf import settings
from notifications.providers.base import compose


def sender_address() -> str:
    # A system check verifies that there is one.
    try:
        return compose.bare_sender(settings.DEFAULT_FROM_EMAIL).lower()
    except compose.BadSenderError:
        return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].lower()


def sender_domain() -> str:
    return sender_address().rpartition("@")[2]


def with_parents(domain: str) -> list[str]:
    # The nearest first, without the top-level domain.
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(max(len(labels) - 1, 1))]
