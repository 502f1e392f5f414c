"""Print a command's output line by line, also into a pipe."""

from collections.abc import Sequence
from pathlib import Path


def say(text: str) -> None:
    print(text, flush=True)


def row(name: str, cells: Sequence[str], widths: Sequence[int]) -> str:
    columns = "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True))
    return f"  {name:<{widths[0]}}{columns}"


class Tee:
    """Prints a text and appends it to a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, text: str) -> None:
        say(text)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(text + "\n")
