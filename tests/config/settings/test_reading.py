"""A value is what it is, wherever it comes from; what cannot be read is refused by name, never by value."""

import json
import re

import pytest

from config import endpoints
from config import env_file as files
from config.environment import CONFIGURED_BY, env_file
from config.reading import Environment
from notifications.runtime.roles import Role
from tests.config.settings.process import PRODUCTION, run

SECRETS = [
    *("SECRET_KEY", "SENDGRID_API_KEY", "POSTMARK_SERVER_TOKEN", "SENDGRID_WEBHOOK_KEY", "POSTMARK_WEBHOOK_AUTH"),
    *("SIMULATOR_WEBHOOK_KEY", "REDIS_PASSWORD", "POSTGRES_PASSWORD", "SMTP_PASSWORD", "FLOWER_BASIC_AUTH"),
]
AWKWARD = [
    "$",
    "\\$",
    "$SECRET",
    "${HOME}",
    ",",
    "\\",
    "\\n",
    "#",
    " #",
    "'",
    '"',
    "''",
    '"x"',
    "'x'",
    "=",
    "%",
    "%(x)s",
    "ü",
]
VALUES = [text for one in AWKWARD for text in (f"{one}tail", f"head{one}tail", f"head{one}")]


@pytest.fixture(params=["environment", "env file", "NAME_FILE", "NAME_FILE in an env file"])
def given(request, tmp_path):
    """Return a function that gives a value by one of the ways there are, and reads it."""

    def through(name, value):
        secret = tmp_path / "secret"
        secret.write_text(value + "\n", encoding="utf-8")
        file = tmp_path / "env"
        if request.param == "environment":
            return Environment({name: value}, {})
        if request.param == "NAME_FILE":
            return Environment({f"{name}_FILE": str(secret)}, {})
        file.write_text(
            files.line(name, value) if request.param == "env file" else files.line(f"{name}_FILE", str(secret)),
            encoding="utf-8",
        )
        return Environment({}, files.read_env_file(file))

    return through


@pytest.mark.parametrize("name", SECRETS)
def test_secret_is_what_it_is(given, name):
    for value in VALUES:
        read = given(name, value)
        assert read.str(name, default="") == value
        assert read.problems == []


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("A=plain", "plain"),
        ("export A=plain", "plain"),
        ("A=$x,\\#'\"", "$x,\\#'\""),
        ("A=#x", "#x"),
        ("A='x", "'x"),
        ("A='it's'", "it's"),
        ("A=''", ""),
        ("A=", ""),
        ('A="a \\"b\\" \\$c \\n"', 'a "b" $c \\n'),
        ("A=' spaced '", " spaced "),
        ("\ufeffA=x", "x"),
        ("A=one\r", "one"),
        ("# A=x", None),
        ("A", None),
    ],
)
def test_line_of_an_env_file(tmp_path, written, value):
    (tmp_path / "env").write_text(written + "\n", encoding="utf-8", newline="")
    assert files.read_env_file(tmp_path / "env").get("A") == value


def test_environment_wins_over_the_file_even_where_the_file_names_a_file(tmp_path):
    (tmp_path / "secret").write_text("of the file")
    assert Environment({"A": "mine"}, {"A_FILE": str(tmp_path / "secret")}).str("A") == "mine"


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("a,b", ["a", "b"]),
        (" a , ,b,", ["a", "b"]),
        ("$a,#b,'c,\\d", ["$a", "#b", "'c", "\\d"]),
        ("a,a\nb,b\n", ["a,a", "b,b"]),
        ("", []),
    ],
)
def test_list(text, items):
    assert Environment({"A": text}).list("A", default=["x"]) == items


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (lambda env: env.int("A", default=1), "7", 7),
        (lambda env: env.int("A", default=1), "", 1),
        (lambda env: env.float("A", default=1), "0.5", 0.5),
        (lambda env: env.bool("A", default=False), "Yes", True),
        (lambda env: env.bool("A", default=True), "off", False),
        (lambda env: env.choice("A", ["INFO"], default="x"), "info", "INFO"),
        (lambda env: env.filled("A", default="x"), "", "x"),
    ],
)
def test_value_of_a_type(read, text, value):
    env = Environment({"A": text})
    assert read(env) == value
    assert env.problems == []


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (lambda env: env.int("A", default=1), "canary"),
        (lambda env: env.int("A", default=1), "1.5"),
        (lambda env: env.int("A", default=1), "9" * 5_000),
        (lambda env: env.int("A", default=1), "1000000001"),
        (lambda env: env.float("A", default=1), "1e300"),
        (lambda env: env.int("A", default=1), "-1"),
        (lambda env: env.int("A", default=1, least=1), "0"),
        (lambda env: env.int("A", default=1, most=65535), "99999"),
        (lambda env: env.float("A", default=1), "nan"),
        (lambda env: env.float("A", default=1), "inf"),
        (lambda env: env.float("A", default=1), "canary"),
        (lambda env: env.bool("A", default=False), "canary"),
        (lambda env: env.choice("A", ["INFO"], default="INFO"), "canary"),
    ],
)
def test_value_that_is_not_of_its_type_is_refused_without_being_shown(read, text):
    env = Environment({"A": text})
    assert read(env) == 1 or read(env) in {False, "INFO"}
    (problem,) = env.problems
    assert problem.id == "mailroom.E030"
    assert problem.hint
    assert text not in problem.text + problem.hint


@pytest.mark.parametrize("file", ["missing", ".", "binary", "nul", "endless"])
def test_file_that_cannot_be_read_is_refused(tmp_path, file):
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "nul").write_bytes(b"a\x00b")
    (tmp_path / "endless").symlink_to("/dev/zero")
    env = Environment({"A_FILE": str(tmp_path / file)})
    assert env.str("A", default="") == ""
    assert [problem.id for problem in env.problems] == ["mailroom.E030"]


def test_variable_and_its_file_together_are_refused(tmp_path):
    (tmp_path / "secret").write_text("of the file")
    both = {"A": "canary", "A_FILE": str(tmp_path / "secret")}
    env = Environment(both)
    env.str("A")
    (problem,) = env.problems
    assert problem.id == "mailroom.E030"
    assert "A_FILE" in problem.text
    assert "canary" not in problem.text + problem.hint


@pytest.mark.parametrize("sources", [({"A": ""},), ({"A": "", "B": "x"}, {"A": "other"})])
def test_file_beside_an_empty_variable_is_used(tmp_path, sources):
    (tmp_path / "secret").write_text("of the file")
    first, *others = sources
    env = Environment({**first, "A_FILE": str(tmp_path / "secret")}, *others)
    assert env.str("A") == "of the file"
    assert env.problems == []


def test_value_that_is_no_utf_8_is_refused():
    env = Environment({"A": b"key\xff".decode("utf-8", "surrogateescape")})
    assert env.str("A", default="") == ""
    assert [problem.id for problem in env.problems] == ["mailroom.E030"]


@pytest.mark.parametrize(
    ("content", "count"),
    [
        (b"# A=x\n\nexport A='x'\r\n", 0),
        (b"A = x\n", 1),
        (b"A\nA-B=x\n", 2),
        (b"A='first line\nsecond line'\n", 1),
        (b"A=\xff\n", 1),
        (None, 1),
    ],
)
def test_line_of_an_env_file_that_would_be_lost_is_a_fault(tmp_path, content, count):
    if content is not None:
        (tmp_path / "env").write_bytes(content)
    found = [*files.faults(tmp_path / "env")]
    assert len(found) == count
    assert not any("second" in fault or "=x" in fault for fault in found)


def test_folder_is_no_env_file(tmp_path):
    assert [*files.faults(tmp_path)]
    assert files.read_env_file(tmp_path) == {}


def test_required_variable_is_refused_where_it_is_missing():
    env = Environment({})
    assert env.str("A") == ""
    assert [problem.name for problem in env.problems] == ["A"]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.MANAGE])
def test_file_of_a_local_stack_is_not_read_by_what_serves_people(tmp_path, role):
    local = tmp_path / ".local" / "env"
    local.parent.mkdir()
    local.touch()
    assert env_file({}, tmp_path) == local
    assert env_file({"MAILROOM_ROLE": role}, tmp_path) is None
    assert env_file({"MAILROOM_ROLE": role, "MAILROOM_ENV_FILE": "/etc/mailroom.env"}, tmp_path) is not None


@pytest.mark.parametrize("name", [name + end for name in CONFIGURED_BY for end in ("", "_FILE")])
def test_file_of_a_local_stack_is_not_read_where_the_environment_configures(tmp_path, name):
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "env").touch()
    assert env_file({name: "x"}, tmp_path) is None


SHOW = """
import django; django.setup()
from django.conf import settings
import json; print(json.dumps([settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS, settings.SENDGRID_API_KEY,
settings.POSTMARK_SERVER_TOKEN, settings.DATABASES["default"]["PASSWORD"], settings.SMTP_URL]))
"""


def test_secrets_that_begin_with_a_dollar_reach_django():
    key = "$SENDGRID_API_KEY,\\#'\"" + PRODUCTION["SECRET_KEY"]
    done = run(
        "-c",
        SHOW,
        SECRET_KEY=key,
        SECRET_KEY_FALLBACKS="$old,#older",
        SENDGRID_API_KEY="$PATH",
        POSTMARK_SERVER_TOKEN="#token",
        POSTGRES_PASSWORD="$/?#",
        SMTP_HOST="smtp.example",
        SMTP_USER="u",
        SMTP_PASSWORD="$/?#",
        DJANGO_SETTINGS_MODULE="config.settings",
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [
        key,
        ["$old", "#older"],
        "$PATH",
        "#token",
        "$/?#",
        "smtp+tls://u:%24%2F%3F%23@smtp.example:587",
    ]


REFUSED = {
    "DEBUG": "canary",
    "DATABASE_POOL_SIZE": "canary",
    "LOG_LEVEL": "canary",
    "RELAY_INTERVAL_S": "canary",
    "SENDGRID_API_KEY_FILE": "/canary",
    "REDIS_URL": "redis://:canary@h?db=7",
    "DATABASE_URL": "postgres://u:canary/@h/d",
    "SMTP_HOST": "h",
    "SMTP_PORT": "canary",
    "SMTP_USER": "canary",
}


@pytest.mark.parametrize("command", ["check", "migrate", "shell"])
def test_process_refuses_what_cannot_be_read_all_of_it_together(command):
    done = run("manage.py", command, **REFUSED)
    assert done.returncode == 1
    assert done.stderr.count("mailroom.E030") == 6
    assert {f"mailroom.E03{n}" for n in (1, 2, 3)} <= set(re.findall(r"mailroom\.E\d+", done.stderr))
    assert "canary" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


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
