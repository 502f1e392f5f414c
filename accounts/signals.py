"""What `accounts` tells the world; it does not know who listens.

`account_event`: something happened that the account's owner should hear of by mail. It is sent inside the transaction
that made it happen, so that both come true or neither, as

    account_event.send(sender=User, kind="password-reset", user=user, address=user.email)

with `kind` (str, what happened), `user` (User, or None where there is no account or no longer one) and `address` (str,
where to say it). It may have `reference` (UUID, names the mail for whoever wants to follow it) and `context` (dict that
JSON can hold: what the account cannot say later). It carries no token: whoever sends the mail asks `accounts.links` at
that moment. A receiver that raises undoes what happened.

What happens: "password-reset" was asked for, "confirmation" (the welcome mail once more) was asked for, somebody signed
up where there is an account ("account-exists"), "password-changed", "address-change" was asked for (the address is the
new one), "address-changed" (the address is the old one, `context` has `new_address`, masked), "account-deleted"
(`context` has `name` and `language`).

`news_wanted`: the reader of `address` (str), logged in as `user` (User) or by a link sent there, said yes to product
news. Whoever has stopped sending news to it starts again. It is sent inside the deciding transaction too.
"""

from django.dispatch import Signal

account_event = Signal()
news_wanted = Signal()
