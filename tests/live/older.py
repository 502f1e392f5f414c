"""Included by a Celery worker (`-I tests.live.older`): it becomes one of an older version, without the newest kind."""

from notifications import kinds

del kinds.KINDS[kinds.WELCOME.name]
