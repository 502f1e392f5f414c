"""Limit the requests of one client, for one address and by one member. Only POSTs are counted.

For views:

- `@method_decorator(throttled(Action.SIGN_UP), name="post")` counts the posts of a client; on a function that accepts
  only POST, `@throttled(Action.RESEND)`.
- `count(Bucket.EMAIL, address)`, for a valid form and before any effect: an email that any client may request, counted
  in the same way with and without an account. `Bucket.RESET` for password resets.
- `count_member(request)`, before a member's current password is checked.
- `@guarded` on a log-in view counts all attempts and, again, the failed ones, by client and by address.
- `with trying(request, address) as attempt` around any other check of a password; set `attempt.succeeded` if it is
  right. `clear_failed_log_ins(address)` after its owner has chosen another password.
- `is_flooded(known=…)` where an email is enqueued with and without an account: if true, roll it back.

Each raises RateLimitedError beyond the limit; RateLimitedPageMiddleware turns that into the page 429. A rejected
attempt is not counted, so a client that waits as long as the page says may try again.

Redis keeps the counts of all processes, under keyed hashes of addresses and clients.
Without Redis each process counts separately, by the same limits.
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
