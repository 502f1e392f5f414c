"""How often one client, one address and one member may ask. Only POSTs are counted.

What a view needs:

- `@method_decorator(throttled(Action.SIGN_UP), name="post")` counts what one client posts; over a function that takes
  only POSTs, `@throttled(Action.RESEND)`.
- `count(Bucket.MAIL, address)`, in a form's valid branch and before anything is done: every mail to an address that
  anybody may ask for, in the same way whether it has an account or not. `Bucket.RESET` for password resets.
- `count_member(request)`, before a member's current password is looked at.
- `@guarded` over a whole log-in view: counts all tries, and those that fail again, by client and by address.
- `with trying(request, address) as attempt` around any other look at a password; `attempt.succeeded = True` if it is
  right. `forgive(address)` once its owner has chosen another.
- `is_flooded(known=…)` where a message is written down whether the address has an account or not: true, undo it.

Each raises TooManyError when it is too much; `TooManyPage`, a middleware, answers that with the page 429. What is
refused is not counted, so whoever waits as long as the page says is let in.

Counts are kept in Redis, all processes together, under keyed hashes: neither addresses nor clients can be read there.
While Redis is away each process counts for itself, by the same figures.
"""

from accounts.throttling.asker import RememberAsker, asker
from accounts.throttling.asking import count, count_member, forgive, guarded, is_flooded, throttled, trying
from accounts.throttling.counting import TooManyError
from accounts.throttling.page import TooManyPage
from accounts.throttling.rules import Action, Bucket

__all__ = [
    "Action",
    "Bucket",
    "RememberAsker",
    "TooManyError",
    "TooManyPage",
    "asker",
    "count",
    "count_member",
    "forgive",
    "guarded",
    "is_flooded",
    "throttled",
    "trying",
]
