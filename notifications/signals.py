"""Facts that the engine reports to the product. Each signal is sent inside the transaction that makes it true."""

from django.dispatch import Signal

# The readers of `addresses` (a frozenset, lower-cased) have left bulk email, by unsubscribing or by a complaint.
unsubscribed = Signal()
