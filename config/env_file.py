"""Env files: one NAME=value a line. A value is all that follows the =, or what quotes enclose; nothing is expanded."""

import re
from pathlib import Path

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z_0-9]*)=(.*)")
# Enclosed from the first to the last quote of the line, so that a quote inside needs no escape.
_SINGLE = re.compile(r"'(.*)'")
_DOUBLE = re.compile(r'"(.*)"')
_ESCAPED = re.compile(r'\\(["\\$`])')


def read_env_file(path: Path | None) -> dict[str, str]:
    """Return the variables of an env file; none where there is no file. Raises OSError for one that cannot be read."""
    if path is None or not path.exists():
        return {}
    matches = (_LINE.fullmatch(line.strip()) for line in path.read_text(encoding="utf-8-sig").split("\n"))
    return {match[1]: plain(match[2].strip()) for match in matches if match}


def plain(written: str) -> str:
    """Return the value that a line holds. In double quotes a backslash escapes what it escapes in a shell."""
    if match := _SINGLE.fullmatch(written):
        return match[1]
    if match := _DOUBLE.fullmatch(written):
        return _ESCAPED.sub(r"\1", match[1])
    return written


def line(name: str, value: str) -> str:
    """Return the line that reads back as `value`. Raises ValueError for a value of several lines."""
    if "\n" in value or "\r" in value:
        raise ValueError(f"{name} has several lines, which an env file cannot hold")
    return f"{name}='{value}'\n"
