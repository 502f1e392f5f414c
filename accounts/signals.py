"""What `accounts` tells the world; it does not know who listens.

`account_event`: something happened that the account's owner should hear of by mail. It is sent inside the transaction
that made it happen, so that both come true or neither, as

    account_event.send(sender=User, kind="password-reset", user=user, address=user.email)

with `kind` (str, what happened), `user` (User) and `address` (str, where to say it). It carries no token: whoever
sends the mail asks `accounts.links` at that moment. A receiver that raises undoes what happened.
"""

from django.dispatch import Signal

account_event = Signal()
