"""The environment and the commands of a stack's processes, without starting any."""

import pytest

from config.processes import PROCESSES, command_line
from config.reading import Environment
from devtools.simulator.signing import certificate_file, kept_keys
from devtools.stack.stack import LIVES_IN_ENV_FILE, Ports, Stack

GIVEN = {"DATABASE_URL": "postgres://x@127.0.0.1:1/x", "REDIS_URL": "redis://127.0.0.1:1/0"}
PROOFS = (
    "SIMULATOR_WEBHOOK_KEY",
    "SENDGRID_WEBHOOK_KEY",
    "SES_WEBHOOK_TOPICS",
    "SNS_CERTIFICATE_FILE",
    "POSTMARK_WEBHOOK_AUTH",
)


@pytest.fixture
def made(tmp_path):
    return lambda **caller: Stack(tmp_path, Ports(), {**GIVEN, **caller})


def test_site_has_the_simulators_keys_before_the_start(made):
    environment = made().environment
    folder = made().folder / "simulator" / "keys"
    assert environment["SIMULATOR_WEBHOOK_KEY"] == kept_keys(folder).public_curve()
    assert environment["SNS_CERTIFICATE_FILE"] == str(certificate_file(folder))
    assert environment["POSTMARK_WEBHOOK_AUTH"].startswith("postmark:")
    assert set(PROOFS) <= set(LIVES_IN_ENV_FILE)


def test_next_start_has_the_same_keys(made):
    first, second = made().environment, made().environment
    assert [first[name] for name in PROOFS] == [second[name] for name in PROOFS]


def test_callers_key_overrides_the_generated_one(made):
    assert made(SENDGRID_WEBHOOK_KEY="mine").environment["SENDGRID_WEBHOOK_KEY"] == "mine"


def test_no_command_line_contains_a_secret(made):
    stack = made()
    secret = stack.environment["POSTMARK_WEBHOOK_AUTH"]
    for process in PROCESSES:
        assert secret not in " ".join(command_line(process, run=stack.folder, env=Environment(stack.environment)))
