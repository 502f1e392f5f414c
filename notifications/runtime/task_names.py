"""The names of tasks in Flower, the log and the results. Pure."""

from collections.abc import Sequence

_TIMES = " \N{MULTIPLICATION SIGN}"


def task_name(kinds: Sequence[str]) -> str:
    """Return the name of a task. `kinds` has the kind of each of its messages."""
    distinct = set(kinds)
    name = kinds[0] if len(distinct) == 1 else f"{len(distinct)} kinds"
    return name if len(kinds) == 1 else f"{name}{_TIMES}{len(kinds)}"


def without_count(name: str) -> str:
    """Return the part of a task's name that does not depend on its size."""
    return name.partition(_TIMES)[0]
