"""docs/how-to/inject-faults.md: its commands, its table and its last line are those of the program.

The runs take minutes: `.ci/run` has `make prove-short`.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from config.environment import BASE_DIR
from devtools.chaos import __main__ as program
from devtools.chaos import report
from devtools.chaos.proof import __file__ as proof
from tests.devtools.chaos.test_report import figures
from tests.docs.pages import block, text_of

PAGE = "inject-faults.md"
COMMANDS = [line.partition("#")[0].strip() for line in block(PAGE, "make prove").splitlines()]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_understood(command):
    _, *arguments = command.split()
    printed = subprocess.run(
        [shutil.which("make"), "--dry-run", "--assume-old=.venv/.app", *arguments],
        cwd=BASE_DIR, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    (line,) = [line for line in printed.splitlines() if "devtools.chaos" in line]
    chosen = program.programme_of(line.partition("devtools.chaos")[2].split())
    assert chosen.is_short is ("short" in command)
    if "N=" in command:
        assert (chosen.people, chosen.seed) == (2000, 7)


def test_number_of_people_is_the_programs():
    assert f"{program.PEOPLE:,} people" in text_of(PAGE)


def test_table_is_the_programs():
    heading, example = block(PAGE, "sign-up p99 ms").splitlines()
    assert heading == report.table(figures()).splitlines()[1].strip()
    name = example.partition("  ")[0]
    assert example == report.row(name, example.removeprefix(name).split(), report.WIDTHS).strip()


def test_last_line_is_the_programs():
    keys = re.findall(r"(\w+)=", report.last_line(figures(), wait_ratio=1.0))
    assert re.findall(r"(\w+)=", block(PAGE, "prove: accepted=")) == keys


def test_files_are_those_that_a_run_writes():
    named = re.findall(r"`([\w./]+\.(?:txt|jsonl?))`", text_of(PAGE).partition("## What it does")[0])
    written = "".join(Path(path).read_text() for path in (program.__file__, proof))
    assert named
    assert [name for name in named if name not in written] == []
