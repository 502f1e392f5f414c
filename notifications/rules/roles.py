"""Recognize what a process is for by its command line. Pure."""

from collections.abc import Sequence
from pathlib import PurePath

#: The role of a process that no rule recognizes: commands, and web servers, which the engine treats alike.
USUAL = "manage"
# Options of `celery` that stand before its command and take a value.
_WITH_VALUE = {"-A", "--app", "-b", "--broker", "--result-backend", "--loader", "--config", "--workdir"}
_OF_CELERY = {"worker", "beat", "flower"}


def role_of(arguments: Sequence[str]) -> str:
    """Return the role of a process with these arguments, the program first."""
    program, *rest = arguments or [""]
    path = PurePath(program)
    if path.stem == "celery" or path.parts[-2:] == ("celery", "__main__.py"):
        command = _command(rest)
        return command if command in _OF_CELERY else USUAL
    return "relay" if rest[:1] == ["relay"] else USUAL


def _command(arguments: Sequence[str]) -> str:
    # The first argument that is neither an option nor the value of one.
    is_value = False
    for argument in arguments:
        if not (is_value or argument.startswith("-")):
            return argument
        is_value = argument in _WITH_VALUE
    return ""
