"""A server that is set in parts instead of a URL."""

import pytest

from config import endpoints
from config.reading import Environment
from tests.config.settings.values import VALUES


@pytest.mark.parametrize(
    ("changes", "id_"),
    [
        ({"REDIS_URL": "redis://h", "REDIS_HOST": "h"}, "mailroom.E031"),
        ({"REDIS_HOST": "/run/redis.sock"}, "mailroom.E031"),
        ({"LIMITS_REDIS_URL": "unix:///run/redis.sock"}, "mailroom.E044"),
        ({"REDIS_HOST": "h", "REDIS_USER": "u"}, "mailroom.E031"),
        ({"REDIS_HOST": "h", "REDIS_PORT": "0"}, "mailroom.E030"),
        ({"DATABASE_URL": "postgres://h/d", "POSTGRES_HOST": "h"}, "mailroom.E032"),
        ({"POSTGRES_HOST": "h h"}, "mailroom.E032"),
        ({"POSTGRES_HOST": "h", "POSTGRES_SSLMODE": "always"}, "mailroom.E030"),
        ({"SMTP_URL": "smtp://h", "SMTP_HOST": "h"}, "mailroom.E033"),
        ({"SMTP_URL": "smtp+tls://h", "SMTP_USER": "u", "SMTP_PASSWORD": "p"}, "mailroom.E033"),
        ({"REDIS_URL": "redis://h", "REDIS_TLS": "1"}, "mailroom.E031"),
        ({"DATABASE_URL": "postgres://h/d", "POSTGRES_SSLMODE": "verify-full"}, "mailroom.E032"),
        ({"DATABASE_URL": "postgres://h/d", "POSTGRES_USER": "u", "POSTGRES_PORT": "tcp://10.0.0.1"}, None),
        ({"POSTGRES_HOST": "h", "POSTGRES_DB": "", "POSTGRES_USER": ""}, None),
        ({"POSTGRES_HOST": "h", "POSTGRES_DB": "x" * 64}, "mailroom.E032"),
        ({"POSTGRES_HOST": "x" * 64}, "mailroom.E032"),
        ({"REDIS_HOST": "redis..example"}, "mailroom.E031"),
        ({"SMTP_HOST": "999.1.1.1"}, "mailroom.E033"),
        ({"SMTP_HOST": "h", "SMTP_SECURITY": "always"}, "mailroom.E030"),
        ({"SMTP_HOST": "h", "SMTP_SECURITY": "tls", "SMTP_PORT": "587"}, "mailroom.E033"),
        ({"REDIS_HOST": "h", "REDIS_URL": "", "POSTGRES_HOST": "/run", "SMTP_HOST": "h"}, None),
    ],
)
def test_server_in_parts(monkeypatch, changes, id_):
    env = Environment(changes)
    monkeypatch.setattr(endpoints, "env", env)
    for read in (endpoints.redis, endpoints.database, endpoints.smtp, endpoints.limits_redis):
        read()
    assert [problem.id for problem in env.problems] == ([id_] if id_ else [])
    assert all(problem.hint for problem in env.problems)


@pytest.mark.parametrize("value", VALUES)
def test_any_password_works_in_parts(monkeypatch, value):
    monkeypatch.setattr(
        endpoints,
        "env",
        Environment({"REDIS_HOST": "h", "REDIS_PASSWORD": value, "POSTGRES_HOST": "h", "POSTGRES_PASSWORD": value}),
    )
    assert endpoints.redis().password == value
    assert endpoints.database()["PASSWORD"] == value
