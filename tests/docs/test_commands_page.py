"""docs/reference/commands.md has a row for each management command, with its options."""

import re

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from config.environment import BASE_DIR

PAGE = (BASE_DIR / "docs/reference/commands.md").read_text()
ROWS = {row[0]: row[1] for row in re.findall(r"^\| `(\w+)` \|.*\| (.*)\|$", PAGE, re.MULTILINE)}
COMMANDS = {name: app for name, app in get_commands().items() if app in {"accounts", "notifications"}}


def options(command):
    parser = command.create_parser("manage.py", "")
    return {option for action in parser._actions for option in action.option_strings}


def test_each_command_has_a_row():
    assert set(ROWS) == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(ROWS))
def test_row_names_the_options_of_the_command(name):
    added = options(load_command_class(COMMANDS[name], name)) - options(BaseCommand()) - {"--database"}
    assert set(re.findall(r"--[\w-]+", ROWS[name])) == added
