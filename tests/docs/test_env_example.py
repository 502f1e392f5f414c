""".env.example has all settings for production, and a completed copy starts."""

import re

from ruamel.yaml import YAML

from config.env_file import read_env_file
from config.environment import BASE_DIR
from tests.config.settings.process import PRODUCTION, run

EXAMPLE = BASE_DIR / ".env.example"
# Read by AWS's library.
FOREIGN = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


def test_example_names_all_settings_that_compose_requires():
    compose = YAML(typ="safe").load(BASE_DIR / "docker-compose.yml")
    assert set(compose["services"]["preflight"]["environment"]) <= set(read_env_file(EXAMPLE))


def test_example_names_only_existing_settings():
    named = set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE.read_text(), re.MULTILINE))
    page = (BASE_DIR / "docs/reference/settings.md").read_text()
    assert named - FOREIGN <= set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))


def test_example_has_no_secret():
    secrets = re.findall(r"^#?\w*(?:PASSWORD|KEY|TOKEN|AUTH|KEY_ID)='(.*)'", EXAMPLE.read_text(), re.MULTILINE)
    assert set(secrets) == {""}


def test_completed_example_is_ready_for_production(tmp_path):
    text = EXAMPLE.read_text()
    for name, value in {"SECRET_KEY": PRODUCTION["SECRET_KEY"], "SMTP_PASSWORD": "$p,#'w/?"}.items():
        text = re.sub(rf"^#?{name}=''", lambda _, n=name, v=value: f"{n}='{v}'", text, flags=re.MULTILINE)
    text = re.sub(r"^#(SMTP_\w+|POSTGRES_HOST|REDIS_\w+)=", r"\1=", text, flags=re.MULTILINE)
    (tmp_path / "env").write_text(text)
    mine = tuple(PRODUCTION.keys() - {"PATH"})
    command = ("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    done = run(*command, without=mine, MAILROOM_ENV_FILE=str(tmp_path / "env"))
    assert (done.returncode, done.stderr) == (0, "")
