"""Include it in a Celery worker (`-I devtools.chaos.older`) to make it one of the release before, without a kind."""

from accounts import emails
from notifications import kinds

del kinds.KINDS[emails.WELCOME.name]
