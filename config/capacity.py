"""Check that PostgreSQL allows as many connections as the processes may open."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.core.checks import CheckMessage
from django.db import connections

from config.environment import env
from config.processes import most_connections
from notifications.runtime.connections import USED_AND_ALLOWED


def room_for_connections(
    app_configs: Sequence[AppConfig] | None, databases: Iterable[str] | None = None, **kwargs: Any
) -> Iterable[CheckMessage]:
    # When the connections are used up, users get 503.
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            cursor.execute(USED_AND_ALLOWED)
            _, allowed = cursor.fetchone()
        if (wanted := most_connections(env)) > allowed:
            yield checks.Warning(
                f"One set of processes may open {wanted} database connections; PostgreSQL allows {allowed}.",
                hint="Raise max_connections, lower DATABASE_POOL_SIZE, or use a pooler: docs/how-to/deploy.md.",
                id="mailroom.W010",
            )
