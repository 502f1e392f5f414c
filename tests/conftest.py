"""Fixtures for the whole suite."""

import gc
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any
from uuid import uuid4

import pytest
from botocore.loaders import JSONFileLoader, Loader
from django.conf import settings as django_settings
from django.db import connection
from django.test import TransactionTestCase, override_settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis.internal.conjecture import providers as hypothesis_providers
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from accounts.ratelimits import limiter
from config.celery import app
from notifications import pauses
from notifications.bounce_brake import brake
from notifications.breaker import permits
from notifications.budget import fallback
from notifications.delivery import run, speed
from notifications.delivery.prepared import cache as prepared
from notifications.outbox import publish
from notifications.providers import registry
from notifications.providers.registry import ProviderSpec
from notifications.runtime import redis_client
from notifications.runtime.redis_client import client
from tests import embedded
from tests.scripted import ScriptedProvider, SecondProvider

# The longest tests run first: at the end, all processes would wait for them.
LONGEST = (
    *("tests/live/", "tests/plans/", "tests/notifications/stateful/", "tests/database/", "tests/upgrade/"),
    *("tests/notifications/providers/ses/test_backend.py", "tests/notifications/outbox/test_relay_killed.py"),
    *("tests/config/", "tests/accounts/views/test_hostile_posts.py", "tests/operations/", "tests/docs/test_image.py"),
    *("tests/notifications/providers/", "tests/notifications/events/test_reading_cost.py", "tests/test_"),
    *("tests/devtools/", "tests/notifications/delivery/"),
)

# Hypothesis would parse every module of the project in each process, which takes seconds, for constants to try.
hypothesis_providers._get_local_constants = lambda: hypothesis_providers._local_constants
# A busy machine is not a failure.
hypothesis_settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("suite")

# The tests of one of these folders share a stack, filled tables or a database server.
ONE_PROCESS = ("tests/live/", "tests/plans/", "tests/database/own_server/")


class SharedServers(LoadScopeScheduling):  # type: ignore[misc]
    """Keeps the tests of a file together, as they share what is slow to start or to read.

    pytest-xdist's own groups do nothing with pytest 9.2, which does not read the names that they write.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((folder for folder in ONE_PROCESS if nodeid.startswith(folder)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> SharedServers:
    config.option.loadscopereorder = False
    return SharedServers(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        name = item.nodeid
        return next((place for place, start in enumerate(LONGEST) if name.startswith(start)), len(LONGEST))

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays until the end: all modules and tests."""
    gc.collect()
    gc.freeze()
    # Each test creates more objects than Python's thresholds allow, and few of them are garbage in cycles.
    gc.set_threshold(20_000, 20, 20)


# After a test that commits, Django truncates every table and creates content types and permissions again: 0.16 s each.
# For a few rows, DELETE is faster; for those of a test of large tables, it takes seconds.
_EMPTY_TABLES = """
DO $$ DECLARE
    name text;
    size bigint;
    is_filled boolean;
BEGIN
    -- The largest first: PostgreSQL refuses to truncate a table after the deletion of rows that it refers to.
    FOR name, size IN
        SELECT tablename, pg_relation_size(quote_ident(tablename)) FROM pg_tables WHERE schemaname = current_schema()
        AND tablename NOT IN ('django_migrations', 'django_content_type', 'auth_permission') ORDER BY 2 DESC
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO is_filled;
        CONTINUE WHEN NOT is_filled;
        IF size < 1000000 THEN EXECUTE format('DELETE FROM %I', name);
        ELSE EXECUTE format('TRUNCATE %I CASCADE', name);
        END IF;
    END LOOP;
END $$
"""


SHARED_SETTINGS = pytest.StashKey[object]()


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Set up what all tests share. An autouse fixture would cost each test."""
    patch = pytest.MonkeyPatch()
    session.config.add_cleanup(patch.undo)
    patch.setattr(TransactionTestCase, "_fixture_teardown", empty_tables)
    describe_aws_once(patch)
    # A busy machine's Redis takes long. Tests of one that hangs wait less.
    patch.setattr(redis_client, "TIMEOUT_S", 30.0)
    patch.setattr(limiter, "WAIT_S", 5.0)
    # A busy machine takes long for a chunk: a worker would leave the rest of it to a later task.
    patch.setattr(run, "SLICE_S", 600.0)

    # Celery reads its settings when it first needs one: before a test changes them.
    assert app.conf.broker_url == django_settings.REDIS_URL
    in_tests = override_settings(PASSWORD_HASHERS=QUICK_HASHERS, STORAGES=PLAIN_STORAGES)
    in_tests.enable()
    session.config.add_cleanup(in_tests.disable)
    session.config.stash[SHARED_SETTINGS] = django_settings._wrapped


def empty_tables(test: TransactionTestCase) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY_TABLES)


def describe_aws_once(patch: pytest.MonkeyPatch) -> None:
    """Let boto3 read its description of AWS once, and not for every client, which takes most of its time."""
    services = cache(Loader().list_available_services)
    patch.setattr(JSONFileLoader, "load_file", staticmethod(cache(JSONFileLoader().load_file)))
    patch.setattr(Loader, "list_available_services", lambda _, type_name: services(type_name))


# Argon2 is slow, and its tests choose it.
QUICK_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *django_settings.PASSWORD_HASHERS]
# Static files without collectstatic; live tests use the real storage.
PLAIN_STORAGES = {
    **django_settings.STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Fail a test whose changes of settings outlive it: they ended in another order than they began."""
    yield
    left, django_settings._wrapped = django_settings._wrapped, item.config.stash[SHARED_SETTINGS]
    assert left is django_settings._wrapped, "a changed setting was not restored"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Forget what the test before left in this process."""
    # Each test's requests are counted under separate keys, without a question to Redis.
    limiter.PREFIX = f"limit-of-one-test:{uuid4()}"
    limiter.shared.cache_clear()
    limiter.memory.cache_clear()
    limiter.cooldown.clear()
    limiter._full.clear()
    brake.reset()
    pauses.forget()
    prepared.reset()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Copy the migrated database: migrations take seconds, and their tests apply them."""
    if embedded.TEMPLATE is not None:
        connection.settings_dict["TEST"]["TEMPLATE"] = embedded.TEMPLATE


@pytest.fixture
def valkey() -> Iterator[None]:
    """Empty the broker before and after a test."""
    client().flushdb()
    publish.cooldown.clear()
    publish.lengths.clear()
    fallback.reset()
    permits.reset()
    speed.recent.clear()
    yield
    client().flushdb()


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Register a provider for one test, or replace parts of a registered one."""

    def register(name: str, **parts: Any) -> None:
        spec = registry.PROVIDERS.get(name, ProviderSpec(ScriptedProvider))
        monkeypatch.setitem(registry.PROVIDERS, name, replace(spec, **parts))

    return register


@pytest.fixture
def provider(registered: Callable[..., None], settings: pytest.FixtureRequest) -> ScriptedProvider:
    """Return the only provider of this test: a fake with scripted answers."""
    scripted = ScriptedProvider()
    registered("scripted", backend=lambda: scripted)
    settings.EMAIL_PROVIDERS = ["scripted"]  # type: ignore[attr-defined]
    return scripted


@pytest.fixture
def second(
    provider: ScriptedProvider, registered: Callable[..., None], settings: pytest.FixtureRequest
) -> ScriptedProvider:
    """Return the provider that takes over while `provider` is down."""
    scripted = SecondProvider()
    registered("second", backend=lambda: scripted)
    settings.EMAIL_PROVIDERS = ["scripted", "second"]  # type: ignore[attr-defined]
    return scripted
