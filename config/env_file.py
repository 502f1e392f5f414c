"""Env files: one NAME=value per line. A value is everything after the =, without its quotes; nothing is expanded."""

import re
from collections.abc import Iterator
from pathlib import Path

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z_0-9]*)=(.*)")
# From the first to the last quote of the line, so that a quote inside needs no escape.
_SINGLE = re.compile(r"'(.*)'")
_DOUBLE = re.compile(r'"(.*)"')
_ESCAPED = re.compile(r'\\(["\\$`])')


def read_env_file(path: Path | None) -> dict[str, str]:
    # Returns {} if the file is missing or not text.
    matches = (_LINE.fullmatch(line) for line in _lines(path))
    return {match[1]: plain(match[2].strip()) for match in matches if match}


def faults(path: Path) -> Iterator[str]:
    # The messages quote nothing from the file, which holds secrets.
    try:
        path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        yield "cannot be read as UTF-8 text"
    for number, line in enumerate(_lines(path), 1):
        if line and not line.startswith("#") and not _LINE.fullmatch(line):
            yield f"has no NAME=value in line {number}"


def _lines(path: Path | None) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8-sig").split("\n")] if path else []
    except (OSError, ValueError):
        return []


def plain(written: str) -> str:
    # In double quotes a backslash escapes the same characters as in a shell.
    if match := _SINGLE.fullmatch(written):
        return match[1]
    if match := _DOUBLE.fullmatch(written):
        return _ESCAPED.sub(r"\1", match[1])
    return written


def env_line(name: str, value: str) -> str:
    """Format a line. Raises ValueError if the value has several lines."""
    if "\n" in value or "\r" in value:
        raise ValueError(f"{name} has several lines, which an env file cannot hold")
    return f"{name}='{value}'\n"
