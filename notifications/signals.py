"""Facts that the engine reports to the product."""

from django.dispatch import Signal

# The readers of `addresses` (a frozenset, lower-cased) unsubscribed from bulk email or complained about it. Sent inside
# the transaction that makes it true.
unsubscribed = Signal()
# The readers of `addresses` want bulk email again: they said so on the page behind an email's link or to an operator.
resubscribed = Signal()

# A message was sent, delivered, bounced …, at least once per change: docs/how-to/react-to-deliveries.md. The relay
# calls the receivers with `message_id`, `kind`, `key`, `change` (a `MessageChange`), `at` and `user_id`. Connect them
# in the `ready` of an app: each process must know whether there are any.
message_changed = Signal()
