"""Facts that the engine reports to the product. Each signal is sent inside the transaction that makes it true."""

from django.dispatch import Signal

# The readers of `addresses` (a frozenset, lower-cased) unsubscribed from bulk email or complained about it.
unsubscribed = Signal()
