"""Env files, and which processes read one."""

import pytest

from config import env_file as files
from config.environment import CONFIGURED_BY, env_file
from config.reading import Environment
from notifications.runtime.roles import Role


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


def test_environment_overrides_the_env_file_and_its_name_file(tmp_path):
    (tmp_path / "secret").write_text("of the file")
    assert Environment({"A": "mine"}, {"A_FILE": str(tmp_path / "secret")}).str("A") == "mine"


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
def test_unreadable_line_of_an_env_file_is_reported(tmp_path, content, count):
    if content is not None:
        (tmp_path / "env").write_bytes(content)
    found = [*files.faults(tmp_path / "env")]
    assert len(found) == count
    assert not any("second" in fault or "=x" in fault for fault in found)


def test_folder_is_not_an_env_file(tmp_path):
    assert [*files.faults(tmp_path)]
    assert files.read_env_file(tmp_path) == {}


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.MANAGE])
def test_serving_process_does_not_read_the_local_env_file(tmp_path, role):
    local = tmp_path / ".local" / "env"
    local.parent.mkdir()
    local.touch()
    assert env_file({}, tmp_path) == local
    assert env_file({"MAILROOM_ROLE": role}, tmp_path) is None
    assert env_file({"MAILROOM_ROLE": role, "MAILROOM_ENV_FILE": "/etc/mailroom.env"}, tmp_path) is not None


@pytest.mark.parametrize("name", [name + end for name in CONFIGURED_BY for end in ("", "_FILE")])
def test_configured_process_does_not_read_the_local_env_file(tmp_path, name):
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "env").touch()
    assert env_file({name: "x"}, tmp_path) is None
