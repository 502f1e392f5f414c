"""Names in backticks in the documentation exist: paths, modules, make targets, commands, settings.

Only a decision with a line that starts with "Replaced by" may name something that no longer exists.
"""

import re
import subprocess
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path, PurePosixPath

from django.conf import global_settings
from django.core.management import get_commands

from config import variables
from config.environment import BASE_DIR
from notifications import conf

PAGES = [BASE_DIR / "README.md", BASE_DIR / "CONTRIBUTING.md", *sorted((BASE_DIR / "docs").rglob("*.md"))]
CURRENT = [page for page in PAGES if not re.search(r"^Replaced by", page.read_text(), re.MULTILINE)]
PACKAGES = ("accounts", "config", "devtools", "notifications", "tests")
CODE = re.compile(r"`([^`\n]+)`|^    ([^\n]+)$", re.MULTILINE)
PATH = re.compile(r"(?:[\w.<>-]+/)+(?:[\w.<>-]+)?")
FILE = re.compile(r"[\w-]+\.(?:py|md|toml|yml|lua)")
DOTTED = re.compile(rf"(?:{'|'.join(PACKAGES)})(?:\.\w+)+")
MODULE = re.compile(rf"-m ((?:{'|'.join(PACKAGES)})[\w.]*)")
TARGET = re.compile(r"(?:^|\s)make ([a-z][\w-]*)")
COMMAND = re.compile(r"(?:manage\.py|--rm(?: -T)? manage) ([a-z]\w*)")
SETTING = re.compile(r"^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?==|$)")
# Files that a reader writes in an example, and files created on a developer's or an operator's machine.
MADE_UP = {"acme", "order-shipped", "orders", "secrets", "shop"}
# Variables of other programs.
FOREIGN = {"COMPOSE_FILE"}


def spans(page: Path) -> list[str]:
    return [inline or block for inline, block in CODE.findall(page.read_text())]


def named(page: Path, pattern: re.Pattern[str]) -> set[str]:
    return {name for span in spans(page) for name in pattern.findall(span)}


@cache
def tree() -> frozenset[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=True)
    files = [name for name in listed.stdout.splitlines() if (BASE_DIR / name).is_file()]
    return frozenset({*files, *(str(folder) for file in files for folder in PurePosixPath(file).parents)})


@cache
def source() -> str:
    """Return the text of all files that may use a variable, without tests and migrations."""
    read = re.compile(
        r"(?!tests/(?!containers/)|.*/migrations/).*\.py$|docker-compose.*|Dockerfile|Makefile|\.env\.example"
    )
    return "\n".join((BASE_DIR / name).read_text() for name in sorted(tree()) if read.match(name))


def real(path: str) -> str:
    """Return the part of a path before a placeholder."""
    parts = path.rstrip("/").split("/")
    made_up = (at for at, part in enumerate(parts) if part in MADE_UP or "<" in part)
    return "/".join(parts[: next(made_up, len(parts))])


def is_there(path: str) -> bool:
    return path == "" or path in tree()


def resolves(dotted: str) -> bool:
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[length:]:
            if not hasattr(found, attribute):
                return False
            found = getattr(found, attribute)
        return True
    return False


def is_a_setting(name: str) -> bool:
    declared = {one.name for group in (*conf.groups(), *variables.GROUPS) for one in conf.declared(group)}
    return (
        name.removesuffix("_FILE") in declared
        or hasattr(global_settings, name)
        or bool(re.search(rf"\b{name}\b", source()))
    )


def wrong(names: Callable[[Path], set[str]]) -> dict[str, set[str]]:
    """Return the pages with the names that do not exist."""
    return {page.name: found for page in CURRENT if (found := names(page))}


def test_paths_exist():
    tops = {path.split("/")[0] for path in tree()}

    def names(page):
        paths = {span for span in spans(page) if PATH.fullmatch(span)}
        ours = {path for path in paths if path.split("/")[0] in tops or FILE.fullmatch(path.split("/")[-1])}
        return {path for path in ours if not is_there(real(path))}

    assert not wrong(names)


def test_tests_to_run_exist():
    test = re.compile(r"\btests/[\w./-]+")
    assert not wrong(lambda page: {path for path in named(page, test) if not is_there(real(path))})


def test_files_named_without_a_folder_exist():
    names = {PurePosixPath(path).name for path in tree()}
    assert not wrong(lambda page: {span for span in spans(page) if FILE.fullmatch(span)} - names)


def test_dotted_names_resolve():
    def names(page):
        dotted = {name for span in spans(page) for name in [span.removesuffix("()")] if DOTTED.fullmatch(name)}
        return {name for name in dotted | named(page, MODULE) if name not in tree() and not resolves(name)}

    assert not wrong(names)


def test_make_targets_exist():
    targets = set(re.findall(r"^([a-z][\w-]*):", (BASE_DIR / "Makefile").read_text(), re.MULTILINE))
    assert not wrong(lambda page: named(page, TARGET) - targets)


def test_commands_exist():
    assert not wrong(lambda page: named(page, COMMAND) - set(get_commands()))


def test_settings_exist():
    assert not wrong(lambda page: {name for name in named(page, SETTING) - FOREIGN if not is_a_setting(name)})
