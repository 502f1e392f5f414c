"""Inspect the database, its tables, and Redis."""

from collections.abc import Iterator

import redis
from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, Error, connection, router
from django.db.migrations.executor import MigrationExecutor

from notifications.conf import settings
from notifications.installation.requirements import POSTGRESQL
from notifications.providers.base.account import Finding, bad, good, note
from notifications.runtime.database import error_name
from notifications.runtime.redis_client import client

#: The oldest major version of PostgreSQL that the engine is tested with.
OLDEST_POSTGRESQL = 15
APP = "notifications"


def inspect_database() -> Finding:
    if connection.vendor != "postgresql":
        return bad("database", "not-postgresql", f"{connection.vendor}, but Mailroom needs PostgreSQL", POSTGRESQL)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version_num')::int, current_setting('server_version')")
            number, name = cursor.fetchone()
    except Error as error:
        hint = 'Start PostgreSQL, or correct DATABASES["default"].'
        return bad("database", "no-answer", f"does not answer ({error_name(error)})", hint)
    if number // 10_000 < OLDEST_POSTGRESQL:
        hint = f"Upgrade to PostgreSQL {OLDEST_POSTGRESQL} or newer."
        return bad("database", "too-old", f"PostgreSQL {name}", hint)
    return good("database", "answers", f"PostgreSQL {name}")


def inspect_tables() -> Finding:
    """Compare the applied migrations with those of this release. Raises database errors."""
    executor = MigrationExecutor(connection)
    wanted = [key for key in executor.loader.graph.leaf_nodes() if key[0] == APP]
    missing = [migration.name for migration, _ in executor.migration_plan(wanted) if migration.app_label == APP]
    if missing:
        count = "1 migration is" if len(missing) == 1 else f"{len(missing)} migrations are"
        return bad("tables", "not-migrated", f"{count} not applied", "python manage.py migrate")
    return good("tables", "migrated", "all migrations are applied")


def inspect_routing() -> Iterator[Finding]:
    """Name the apps that write to another database: their transactions do not include a message."""
    elsewhere: dict[str, set[str]] = {}
    for model in apps.get_models():
        alias = router.db_for_write(model)
        if alias != DEFAULT_DB_ALIAS and model._meta.managed:  # noqa: SLF001 - Django documents it
            elsewhere.setdefault(alias, set()).add(model._meta.app_label)  # noqa: SLF001 - the same
    for alias, labels in sorted(elsewhere.items()):
        yield note(
            f"database {alias}",
            "another-database",
            f"has data of {', '.join(sorted(labels))}; a rollback there keeps the messages of the transaction",
            "Enqueue inside a transaction of the default database.",
        )


def inspect_redis() -> Finding:
    try:
        server = client().info("server")
        memory = client().info("memory")
    except redis.RedisError as error:
        text = f"does not answer ({type(error).__name__})"
        return bad("redis", "no-answer", text, 'Start it, or set its address: REDIS_URL = "redis://host:6379/1"')
    except ValueError:
        return bad("redis", "bad-url", "REDIS_URL cannot be read", 'REDIS_URL = "redis://host:6379/1"')
    version = f"{server.get('server_name', 'redis')} {server.get('valkey_version') or server.get('redis_version')}"
    policy = memory.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        hint = "Set maxmemory-policy noeviction. Messages are in PostgreSQL, but rate limits and tasks are in Redis."
        return note("redis", "evicts", f"{version}, which drops keys when it is full ({policy})", hint)
    return good("redis", "answers", version)


def broker_elsewhere() -> Finding | None:
    """Report another broker in the project's settings: all tasks use REDIS_URL."""
    other = getattr(settings, "CELERY_BROKER_URL", "")
    if not isinstance(other, str) or not other or other.partition("?")[0] == settings.REDIS_URL:
        return None
    text = "CELERY_BROKER_URL names another broker than REDIS_URL; configure(app) uses REDIS_URL for all tasks"
    hint = "Set both to the same address. What waits in another broker stays there: let its workers finish first."
    return note("broker", "another-broker", text, hint)
