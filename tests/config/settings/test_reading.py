"""Values are read literally from every source. Unreadable ones are refused by name, never with their value."""

import json
import re

import pytest

from config import env_file as files
from config.reading import Environment
from tests.config.settings.process import PRODUCTION, run
from tests.config.settings.values import VALUES

SECRETS = [
    *("SECRET_KEY", "SENDGRID_API_KEY", "POSTMARK_SERVER_TOKEN", "SENDGRID_WEBHOOK_KEY", "POSTMARK_WEBHOOK_AUTH"),
    *("SIMULATOR_WEBHOOK_KEY", "REDIS_PASSWORD", "POSTGRES_PASSWORD", "SMTP_PASSWORD", "FLOWER_BASIC_AUTH"),
]


@pytest.fixture(params=["environment", "env file", "NAME_FILE", "NAME_FILE in an env file"])
def given(request, tmp_path):
    """Return a function that sets a variable in one of the possible ways and reads it."""

    def through(name, value):
        secret = tmp_path / "secret"
        secret.write_text(value + "\n", encoding="utf-8")
        file = tmp_path / "env"
        if request.param == "environment":
            return Environment({name: value}, {})
        if request.param == "NAME_FILE":
            return Environment({f"{name}_FILE": str(secret)}, {})
        file.write_text(
            files.env_line(name, value) if request.param == "env file" else files.env_line(f"{name}_FILE", str(secret)),
            encoding="utf-8",
        )
        return Environment({}, files.read_env_file(file))

    return through


@pytest.mark.parametrize("name", SECRETS)
def test_secret_is_read_literally(given, name):
    for value in VALUES:
        read = given(name, value)
        assert read.str(name, default="") == value
        assert read.problems == []


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
def test_value_of_another_type_is_refused_without_being_shown(read, text):
    env = Environment({"A": text})
    assert read(env) == 1 or read(env) in {False, "INFO"}
    (problem,) = env.problems
    assert problem.id == "mailroom.E030"
    assert problem.hint
    assert text not in problem.text + problem.hint


@pytest.mark.parametrize("file", ["missing", ".", "binary", "nul", "endless"])
def test_unreadable_file_is_refused(tmp_path, file):
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
def test_file_is_used_if_the_variable_is_empty(tmp_path, sources):
    (tmp_path / "secret").write_text("of the file")
    first, *others = sources
    env = Environment({**first, "A_FILE": str(tmp_path / "secret")}, *others)
    assert env.str("A") == "of the file"
    assert env.problems == []


def test_value_that_is_not_utf_8_is_refused():
    env = Environment({"A": b"key\xff".decode("utf-8", "surrogateescape")})
    assert env.str("A", default="") == ""
    assert [problem.id for problem in env.problems] == ["mailroom.E030"]


def test_missing_required_variable_is_refused():
    env = Environment({})
    assert env.str("A") == ""
    assert [problem.name for problem in env.problems] == ["A"]


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
def test_process_reports_all_unreadable_settings_together(command):
    done = run("manage.py", command, **REFUSED)
    assert done.returncode == 1
    assert done.stderr.count("mailroom.E030") == 6
    assert {f"mailroom.E03{n}" for n in (1, 2, 3)} <= set(re.findall(r"mailroom\.E\d+", done.stderr))
    assert "canary" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
