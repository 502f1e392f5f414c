"""Makes a Celery worker (`-I devtools.chaos.older`) one of the previous release, without the newest kind."""

from accounts import emails
from notifications import kinds

del kinds.KINDS[emails.WELCOME.name]
