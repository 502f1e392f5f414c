"""How often one client, one address and one member may ask. Only POSTs are counted.

What a view needs:

- `@method_decorator(throttled(Action.SIGN_UP), name="post")` counts what one client posts; over a function that takes
  only POSTs, `@throttled(Action.RESEND)`.
- `count(Bucket.MAIL, address)`, in a form's valid branch and before anything is done: every mail to an address that
  anybody may ask for, in the same way whether it has an account or not. `Bucket.RESET` for password resets.
- `count_member(request)`, before a member's current password is looked at.
- `@guarded` over a whole log-in view: counts all tries, and those that fail again, by client and by address.
- `with trying(request, address) as attempt` around any other look at a password; `attempt.succeeded = True` if it is
  right. `clear_failed_log_ins(address)` once its owner has chosen another.
- `is_flooded(known=…)` where a message is written down whether the address has an account or not: true, undo it.

Each raises RateLimitedError when it is too much; RateLimitedPageMiddleware answers that with the page 429. What is
refused is not counted, so whoever waits as long as the page says is let in.

Counts are kept in Redis, all processes together, under keyed hashes: neither addresses nor clients can be read there.
While Redis is away each process counts for itself, by the same figures.
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
