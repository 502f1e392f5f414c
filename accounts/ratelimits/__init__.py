"""Limit how often one client, one address and one member may ask. Only POSTs are counted.

What a view needs:

- `@method_decorator(throttled(Action.SIGN_UP), name="post")` counts what one client posts; over a function that takes
  only POSTs, `@throttled(Action.RESEND)`.
- `count(Bucket.MAIL, address)`, in a form's valid branch and before anything is done: every email to an address that
  any client may request, in the same way whether it has an account or not. `Bucket.RESET` for password resets.
- `count_member(request)`, before a member's current password is checked.
- `@guarded` over a whole log-in view: counts all tries, and those that fail again, by client and by address.
- `with trying(request, address) as attempt` around any other check of a password; `attempt.succeeded = True` if it is
  right. `clear_failed_log_ins(address)` once its owner has chosen another.
- `is_flooded(known=…)` where a message is written whether the address has an account or not: if true, undo it.

Each raises RateLimitedError beyond the limit; RateLimitedPageMiddleware answers that with the page 429. A refused try
is not counted, so a client that waits as long as the page says may try again.

Redis keeps the counts of all processes under keyed hashes: neither addresses nor clients can be read there.
Without Redis each process counts for itself, by the same limits.
"""

from accounts.ratelimits.decorators import (
    clear_failed_log_ins,
    count,
    count_member,
    guarded,
    is_flooded,
    throttled,
    trying,
)
from accounts.ratelimits.limiter import RateLimitedError
from accounts.ratelimits.middleware import RateLimitedPageMiddleware
from accounts.ratelimits.requester import RememberRequesterMiddleware, requester_key
from accounts.ratelimits.rules import Action, Bucket

__all__ = [
    "Action",
    "Bucket",
    "RateLimitedError",
    "RateLimitedPageMiddleware",
    "RememberRequesterMiddleware",
    "clear_failed_log_ins",
    "count",
    "count_member",
    "guarded",
    "is_flooded",
    "requester_key",
    "throttled",
    "trying",
]
