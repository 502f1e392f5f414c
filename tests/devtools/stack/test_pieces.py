"""The small parts of the local stack."""

import configparser
import shlex

import pytest

from config.env_file import read_env_file
from devtools.stack.secret_files import kept_secret, write_env, write_private
from devtools.stack.supervision import Program, section


def test_secret_is_created_once_and_readable_only_by_its_owner(tmp_path):
    secret = kept_secret(tmp_path / "deep" / "secret")
    assert kept_secret(tmp_path / "deep" / "secret") == secret
    assert len(secret) >= 32
    assert (tmp_path / "deep" / "secret").stat().st_mode & 0o077 == 0


def test_private_file_is_replaced_completely(tmp_path):
    path = tmp_path / "file"
    write_private(path, "old, and much longer than the new one")
    write_private(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o077 == 0
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_env_file_is_read_as_it_was_written(tmp_path):
    values = {"A_URL": "postgres://u:p%40ss#x@127.0.0.1/db?a=b", "B": "with spaces $HOME", "C": "", "D": "it's"}
    write_env(tmp_path / "env", values)
    assert read_env_file(tmp_path / "env") == values


@pytest.mark.parametrize("value", ["two\nlines", "two\rlines"])
def test_env_file_refuses_several_lines(tmp_path, value):
    with pytest.raises(ValueError, match=r"^A "):
        write_env(tmp_path / "env", {"A": value})


def test_supervisor_section_survives_spaces_percents_and_quotes(tmp_path):
    program = Program(
        name="web",
        command=["/a path/with 100% and 'quotes'/python", "-c", 'print("x")'],
        environment={"URL": 'postgres://u:p%40"@h/db', "PATH_": "C:\\x"},
    )
    parser = configparser.RawConfigParser()
    parser.read_string(section(program, tmp_path))
    read = parser["program:web"]
    assert shlex.split(read["command"].replace("%%", "%")) == program.command
    assert read["environment"] == 'PATH_="C:\\\\x",URL="postgres://u:p%%40\\"@h/db"'
